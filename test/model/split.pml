/*
 * The two halves of a stream that was split, each with an owner, a slot and a claim of its own: each goes to its claimant or is closed when its time is over; the
 * endpoint is closed once, when both halves are or one resets it; a slot goes back once, when its half is closed and nothing of its memory is in flight. Models
 * src/worker/sources/stream-halves.ts, stream-writer.ts, tcp-stream.ts (split, close, closed) and transfers.ts, with the claims of src/atomics/claim.ts.
 *
 * Abstractions, and why they are sound:
 * - One claimant per half: claim.pml has the rivals. It may claim or lose interest, write, close either way, or die, also between its swap and ATTACH_STREAM.
 * - The I/O thread takes one message or completion at a time, as it does; so each is one atomic step. The rings are flags: ring.pml.
 * - A receive and a send may be in flight from before the split; the kernel completes what is in flight at any time.
 */
#define READER 0
#define WRITER 1

mtype = { NONE, PENDING, CLAIMED, EXPIRED, FLUSHED, RESET, OPEN, CLOSING, CLOSED, OVER };

mtype claim[2] = NONE;
bool splitPublished, splitTaken;
bool attachPublished[2], attached[2];
mtype closePublished[2] = NONE;   /* CLOSE, or the end of the thread */
bool gone[2];                     /* its claimant is done, one way or the other */
bool wrote;                       /* the writer's owner has accepted one more write */

mtype endpoint = OPEN;
mtype half[2] = OPEN;
bool receiving = true, sending = true;   /* in flight, into and from A's memory at first */
byte unsentOfA = 1, unsentOfC;
bool sealed;                             /* nothing is appended to what A wrote */
byte released[2], closes;                /* ghosts */
bool fin;

proctype Splitter() {
#ifdef MUTATE_ONE_CLAIM_FIRST /* stream-move.ts splitStream: the writer's claim is offered after the names are out */
  claim[READER] = PENDING; splitPublished = true; claim[WRITER] = PENDING
#else
  claim[READER] = PENDING; claim[WRITER] = PENDING; splitPublished = true
#endif
}

proctype Claimant(byte h) {
  splitPublished;
  if
  :: true -> goto done             /* the name was lost */
  :: atomic { claim[h] == PENDING -> claim[h] = CLAIMED }
  :: claim[h] == EXPIRED -> goto done
#ifdef MUTATE_ONE_CLAIM_FIRST
  :: claim[h] == NONE -> assert(false)
#endif
  fi;
  if
  :: true -> goto done             /* dies before ATTACH_STREAM */
  :: attachPublished[h] = true
  fi;
  if
  :: h == WRITER -> wrote = true
  :: true
  fi;
  if
  :: closePublished[h] = FLUSHED   /* or dies: the session drains */
  :: closePublished[h] = RESET
  fi;
done:
  gone[h] = true
}

inline release(h) {
  released[h]++;
  assert(released[h] == 1);
  assert(h == WRITER || !receiving);
  assert(h == READER || !sending);
  half[h] = OVER
}

inline submitClose(flushed) {
  assert(endpoint == OPEN);
  assert(!(flushed) || (half[READER] != OPEN && half[WRITER] != OPEN && unsentOfA + unsentOfC == 0));
  endpoint = CLOSING;
  closes++;
  if
  :: !(flushed) -> unsentOfA = (sending -> unsentOfA : 0); unsentOfC = 0
  :: else
  fi
}

/* stream-sending.ts settle */
inline settle() {
  if
  :: half[WRITER] == CLOSED && unsentOfA + unsentOfC == 0 && !sending ->
     if
     :: endpoint == CLOSED -> release(WRITER)
     :: endpoint == CLOSING
#ifdef MUTATE_CLOSE_WITH_WRITER /* stream-halves.ts writerFlushed: closes the endpoint though the reader is open */
     :: endpoint == OPEN -> submitClose(true)
#else
     :: endpoint == OPEN && half[READER] != OPEN -> submitClose(true)
     :: endpoint == OPEN && half[READER] == OPEN -> fin = true; release(WRITER)
#endif
     fi
  :: else
  fi
}

inline closeReader(reset) {
  half[READER] = CLOSED;
  if
  :: endpoint == CLOSED -> release(READER)
  :: endpoint == CLOSING
  :: endpoint == OPEN && (reset) -> submitClose(false); settle()
  :: endpoint == OPEN && !(reset) && half[WRITER] == OVER -> submitClose(true)
  :: endpoint == OPEN && !(reset) && half[WRITER] != OVER ->
#ifdef MUTATE_RELEASE_WHILE_RECEIVING /* stream-halves.ts closeReading: does not wait for the receive in flight */
     release(READER)
#else
     if
     :: !receiving -> release(READER)
     :: else
     fi
#endif
  fi
}

inline closeWriter(reset) {
  half[WRITER] = CLOSED;
  if
  :: (reset) && endpoint == OPEN -> submitClose(false)
  :: (reset) && endpoint == CLOSED -> release(WRITER)
  :: (reset) && endpoint == CLOSING
  :: !(reset) -> settle()
  fi
}

proctype IoThread() {
  splitPublished;
#ifdef MUTATE_SPLIT_IN_TWO_STEPS /* submissions.ts split: the writing half is offered before what A wrote is sealed */
  splitTaken = true;
  sealed = true;
#else
  atomic { splitTaken = true; sealed = true };
#endif
  do
  :: atomic { attachPublished[READER] && !attached[READER] -> attached[READER] = true }
  :: atomic { wrote && attached[WRITER] ->
       wrote = false;
       if
       :: endpoint == OPEN -> unsentOfC++
       :: else               /* given back */
       fi }
  /* transfers.ts expire: nobody has it, or nobody will attach it */
  :: atomic { claim[READER] == PENDING -> claim[READER] = EXPIRED; closeReader(false) }
  :: atomic { claim[WRITER] == PENDING -> claim[WRITER] = EXPIRED; closeWriter(false) }
  :: atomic { claim[READER] == CLAIMED && gone[READER] && !attachPublished[READER] && half[READER] == OPEN -> closeReader(false) }
  :: atomic { claim[WRITER] == CLAIMED && gone[WRITER] && !attachPublished[WRITER] && half[WRITER] == OPEN -> closeWriter(false) }
  :: atomic { closePublished[READER] != NONE && attached[READER] && half[READER] == OPEN -> closeReader(closePublished[READER] == RESET) }
  :: atomic { closePublished[WRITER] != NONE && attached[WRITER] && !wrote && half[WRITER] == OPEN -> closeWriter(closePublished[WRITER] == RESET) }
  /* completions */
  :: atomic { receiving ->
       receiving = false;
       if
       :: half[READER] == CLOSED && half[WRITER] != OVER && released[READER] == 0 -> release(READER)
       :: else
       fi }
  :: atomic { sending ->
       sending = false;
       if
       :: unsentOfA > 0 -> unsentOfA--
       :: else -> unsentOfC = (unsentOfC > 0 -> unsentOfC - 1 : 0)
       fi;
       settle() }
  :: atomic { endpoint == OPEN && !sending && unsentOfA + unsentOfC > 0 -> sending = true }
  :: atomic { endpoint == CLOSING && !receiving && !sending ->
       endpoint = CLOSED;
       if
       :: half[READER] == CLOSED -> release(READER)
       :: else
       fi;
       if
#ifdef MUTATE_FORGET_CLOSED_WRITER /* tcp-stream.ts #closed: without the writer that waited for it */
       :: false
#else
       :: half[WRITER] == CLOSED -> release(WRITER)
#endif
       :: else
       fi }
  :: half[READER] == OVER && half[WRITER] == OVER && endpoint == CLOSED -> break
  od
}

/* Apart, so that it may come between the two steps of a split that takes two. */
proctype Attacher() {
  do
  :: atomic { splitTaken && attachPublished[WRITER] && !attached[WRITER] ->
       assert(sealed);         /* or what C writes would go among what A wrote */
       attached[WRITER] = true }
  :: half[WRITER] == OVER -> break
  od
}

init {
  atomic { run Splitter(); run Claimant(READER); run Claimant(WRITER); run IoThread(); run Attacher() };
  _nr_pr == 1;
  assert(released[READER] == 1 && released[WRITER] == 1 && closes == 1)
}
