/*
 * Publication in a ring: no entry is read torn, stale or twice, none is overwritten unread, order is kept. Models
 * src/atomics/ring.ts with its users' way of calling it: src/client/link/client.ts (submit: publish when full, wait, go on) and
 * src/worker/clients/submissions.ts or Client.drain (read a batch, then release it).
 *
 * Weak memory. An entry has two words, written by plain stores. The producer's plain stores go to a store buffer, one
 * cell per place, that is emptied in any order at any time, as a processor or a compiler may do. A SeqCst store first
 * waits until the buffer is empty: that is the "all it wrote before is visible" of ECMA-262's synchronises-with. A tail
 * that is stored plainly is but one more cell. This is as weak as the language lets the *writing* side be. On the
 * reading side a SeqCst load keeps later plain loads behind it, so they are steps after it; that they could come
 * first were it plain is a mutation, and so is a head stored before the reads that it announces are done.
 *
 * Abstractions, and why they are sound:
 * - Capacity 2 and indices modulo 4 stand for powers of two and indices modulo 2^32: what matters is that the capacity divides
 *   the modulus and that full and empty differ. ENTRIES wraps the indices twice.
 * - A producer that finds the ring full waits for another head; the source does so in slices of a millisecond.
 * - Entry n has the words n and n + MARK, so that any mixture of two entries shows.
 */
#define CAPACITY 2
#define INDICES 4
#define ENTRIES 9
#define MARK 100

byte wordA[CAPACITY], wordB[CAPACITY], tail, head;           /* memory */
byte pendingA[CAPACITY], pendingB[CAPACITY], pendingTail;    /* the producer's store buffer; 0 is empty, the tail is kept + 1 */

#define PLACE(index) ((index) % CAPACITY)
#define NEXT(index, by) (((index) + by) % INDICES)
#define BEHIND(late, early) (((late) + INDICES - (early)) % INDICES)

#ifdef MUTATE_FULL_IS_ONE_MORE /* ring.ts reserve: > for >= */
#define FULL(seen) (BEHIND(next, seen) > CAPACITY)
#else
#ifdef MUTATE_NEVER_FULL /* ring.ts reserve: no look whether the ring is full */
#define FULL(seen) false
#else
#define FULL(seen) (BEHIND(next, seen) >= CAPACITY)
#endif
#endif

proctype StoreBuffer() {
  byte i;
end: do
  :: atomic { pendingA[0] != 0 -> wordA[0] = pendingA[0]; pendingA[0] = 0 }
  :: atomic { pendingA[1] != 0 -> wordA[1] = pendingA[1]; pendingA[1] = 0 }
  :: atomic { pendingB[0] != 0 -> wordB[0] = pendingB[0]; pendingB[0] = 0 }
  :: atomic { pendingB[1] != 0 -> wordB[1] = pendingB[1]; pendingB[1] = 0 }
#ifdef MUTATE_PLAIN_TAIL
  :: atomic { pendingTail != 0 -> tail = pendingTail - 1; pendingTail = 0 }
#endif
  od
}

inline publish() {
  if
  :: published != next ->
     published = next;
#ifdef MUTATE_PLAIN_TAIL /* ring.ts publish: a plain store of the tail */
     pendingTail = next + 1
#else
     atomic {
       pendingA[0] == 0 && pendingA[1] == 0 && pendingB[0] == 0 && pendingB[1] == 0;
       tail = next
     }
#endif
  :: else
  fi
}

proctype Producer() {
  byte n, next, published, seen;
  for (n : 1 .. ENTRIES) {
    /* reserve */
    if
    :: FULL(seen) ->
       seen = head;
       do
       :: FULL(seen) ->
#ifndef MUTATE_WAIT_UNPUBLISHED /* client.ts submit: waits for room without flush */
          publish();
#endif
          head != seen;
          seen = head
       :: else -> break
       od
    :: else
    fi;
#ifdef MUTATE_TAIL_BEFORE_ENTRY /* ring.ts: advance and publish before the entry is written */
    next = NEXT(next, 1);
    publish();
    pendingA[PLACE(next + INDICES - 1)] = n;
    pendingB[PLACE(next + INDICES - 1)] = n + MARK
#else
    pendingA[PLACE(next)] = n;
    pendingB[PLACE(next)] = n + MARK;
    next = NEXT(next, 1);
    /* At once, or with entries to come: a batch has one store of the tail. */
    if
    :: publish()
    :: n < ENTRIES
    fi
#endif
  }
}

proctype Consumer() {
  byte n, at, count, offset, a, b;
  for (n : 1 .. ENTRIES) {
    if
    :: offset < count
    :: else ->
       /* release the last batch, then available */
#ifndef MUTATE_RELEASE_BEFORE_READ
       head = at;
#endif
       offset = 0;
#ifdef MUTATE_PLAIN_LOAD_OF_TAIL /* ring.ts available: a plain load, so the entry may be read before the tail is */
       a = wordA[PLACE(at)];
       b = wordB[PLACE(at)];
#endif
       tail != at;
       count = BEHIND(tail, at);
       assert(count <= CAPACITY);
#ifdef MUTATE_RELEASE_BEFORE_READ /* ring.ts release: the head is stored before the batch is read */
       head = NEXT(at, count);
#endif
    fi;
#ifdef MUTATE_PLAIN_LOAD_OF_TAIL
    if
    :: offset == 0
    :: else -> a = wordA[PLACE(at)]; b = wordB[PLACE(at)]
    fi;
#else
    a = wordA[PLACE(at)];
    b = wordB[PLACE(at)];
#endif
    assert(a == n && b == n + MARK);
    atomic { a = 0; b = 0; at = NEXT(at, 1); offset++ }
  }
  head = at
}

/* When nothing moves any more all entries were read: each assertion above has seen its own. */
proctype Quiescence() {
  timeout;
  assert(head == ENTRIES % INDICES && tail == head)
}

init {
  atomic { run StoreBuffer(); run Producer(); run Consumer(); run Quiescence() }
}
