/*
 * A slot's readiness word: no bit is lost, at most one unread READY entry is queued, and the errno that belongs to a
 * FAILED bit is there when the bit is. Models src/atomics/readiness.ts as it is used by src/worker/clients/session.ts (ready) and
 * src/client (drain, takeReadiness, readinessErrno).
 *
 * Abstractions, and why they are sound:
 * - The event ring is its two counters (ring.pml), filled by one slot alone: slots share nothing but the ring.
 * - The client waits for entries by looking: doorbell.pml shows that it is woken for every one.
 * - As in the source the client reads a batch of entries and gives all of them back at its end. So an entry is
 *   *unread* until its turn and *outstanding* until the batch ends; EVENTS_PER_SLOT counts the latter.
 */
#define READY 1
#define FAILED 2
#define QUEUED 4

byte word;        /* Slot.READINESS */
byte code;        /* Slot.ERRNO */
byte tail, head;  /* READY entries pushed and published; given back */

/* Ghosts. */
byte unread;
byte newest;      /* the errno that addReadiness was called with last */
byte got;         /* bits taken */

inline addReadiness(bits, error) {
#ifdef MUTATE_BIT_BEFORE_ERRNO /* readiness.ts addReadiness: the or before the errno */
  atomic { old = word; word = word | bits | QUEUED };
  code = (error != 0 -> error : code);
#else
  code = (error != 0 -> error : code);
#ifdef MUTATE_OR_IN_TWO_STEPS /* readiness.ts addReadiness: a load and a store for the or */
  old = word;
  word = old | bits | QUEUED;
#else
  atomic { old = word; word = word | bits | QUEUED };
#endif
#endif
  if
#ifndef MUTATE_PUSH_ALWAYS /* readiness.ts addReadiness: an entry for every call */
  :: (old & QUEUED) != 0 -> old = 0
#endif
  :: else ->
     old = 0;
     atomic { unread++; assert(unread <= 1) };
     tail++;
     assert(tail - head <= 2)
  fi
}

proctype IoThread() {
  byte old;
  addReadiness(READY, 0);
  addReadiness(FAILED, 1);
  addReadiness(READY, 0);
  addReadiness(FAILED, 2)
}

proctype Client() {
  byte count, batch, bits, error;
end: do
  :: tail != head ->
     atomic { batch = tail - head; count = batch };
     do
     :: count > 0 ->
        count--;
        /* dispatch READY: takeReadiness */
        unread--;
#ifdef MUTATE_ERRNO_BEFORE_TAKING /* stream-events.ts ready: readinessErrno before takeReadiness */
        error = code;
#endif
#ifdef MUTATE_TAKE_IN_TWO_STEPS /* readiness.ts takeReadiness: a load and a store for the exchange */
        bits = word;
        word = 0;
#else
#ifdef MUTATE_TAKE_LEAVES_QUEUED /* readiness.ts takeReadiness: takes the bits alone */
        atomic { bits = word; word = word & QUEUED };
#else
        atomic { bits = word; word = 0 };
#endif
#endif
        if
        :: (bits & FAILED) != 0 ->
#ifndef MUTATE_ERRNO_BEFORE_TAKING
           error = code;
#endif
           assert(error != 0);
           /* The second failure's bit has the second failure's errno. */
           assert((got & FAILED) == 0 || error == 2)
        :: else
        fi;
        atomic { got = got | (bits & ~QUEUED); newest = (error > newest -> error : newest); bits = 0; error = 0 }
     :: else -> break
     od;
     head = head + batch
  od
}

proctype Quiescence() {
  timeout;
  assert(word == 0);
  assert(got == (READY | FAILED));
  assert(newest == 2)
}

init {
  atomic { run IoThread(); run Client(); run Quiescence() }
}
