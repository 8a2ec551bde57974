/*
 * The two halves of a stream that was split, each with an owner, a slot and a claim of its own: each goes to its claimant or is closed when its time is over; the
 * endpoint is closed once, when both halves are, all is sent, the peer's end too, and nothing unread is left, or when one resets it or lingerMs is over; a slot goes back
 * once, when its half is closed and nothing of its memory is in flight. Models src/worker/sources/stream-halves.ts, stream-discarding.ts,
 * stream-writer.ts, tcp-stream.ts (split, close, closed) and transfers.ts, with the claims of src/atomics/claim.ts.
 *
 * Abstractions, and why they are sound:
 * - One claimant per half: claim.pml has the rivals. It may claim or lose interest, write, close either way, or die, also between its swap and ATTACH_STREAM.
 * - The I/O thread takes one message or completion at a time, as it does; so each is one atomic step. The rings are flags: ring.pml.
 * - A receive and a send may be in flight from before the split; the kernel completes what is in flight at any time.
 */
#define READER 0
#define WRITER 1
/* So is the receive by whoever lets go of the reader. */
#define CANCELLED (!attached[READER] || half[READER] != OPEN || endpoint != OPEN)

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
bool discarding, discardingInFlight;     /* what comes after the reader's close; into memory of nobody */
bool peerEnded, ended;                   /* the peer's end was sent; and was received */
byte unreadInKernel, sentByPeer;
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
  /* Or a reset would overtake what was sent. */
  assert(!(flushed) || (fin && ended && unreadInKernel == 0));
  endpoint = CLOSING;
  closes++;
  if
  :: !(flushed) -> unsentOfA = (sending -> unsentOfA : 0); unsentOfC = 0
  :: else
  fi
}

/* stream-halves.ts settleLingering */
inline settleLingering() {
  if
#ifdef MUTATE_CLOSE_WITHOUT_LINGERING /* stream-halves.ts settleLingering: does not wait for the peer's end */
  :: endpoint == OPEN && half[READER] != OPEN && fin -> submitClose(true)
#else
  :: endpoint == OPEN && half[READER] != OPEN && fin && discarding && ended -> submitClose(true)
#endif
  :: else
  fi
}

/* stream-halves.ts readingReleased: nothing is received into the reader's memory any more */
inline readingReleased() {
  discarding = true;
  if
  :: half[WRITER] != OVER -> release(READER)
  :: else
  fi;
  settleLingering()
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
     :: endpoint == OPEN && half[READER] != OPEN -> fin = true; settleLingering()
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
  :: endpoint == OPEN && !(reset) ->
#ifdef MUTATE_RELEASE_WHILE_RECEIVING /* stream-halves.ts closeReading: does not wait for the receive in flight */
     readingReleased()
#else
     if
     :: !receiving -> readingReleased()
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
  :: atomic { receiving && (unreadInKernel > 0 || peerEnded || CANCELLED) ->
       receiving = false;
       if
       :: unreadInKernel > 0 -> unreadInKernel--
       :: unreadInKernel == 0 && peerEnded -> ended = true
       :: CANCELLED
       fi;
       if
       :: half[READER] == CLOSED && endpoint == OPEN -> readingReleased()
       :: half[READER] == CLOSED && endpoint == CLOSING && half[WRITER] != OVER && released[READER] == 0 -> release(READER)
       :: else
       fi }
  /* The reader's own receives, and after its close those that discard. */
  :: atomic { half[READER] == OPEN && attached[READER] && endpoint == OPEN && !receiving && !ended && (unreadInKernel > 0 || peerEnded) -> receiving = true }
  :: atomic { discarding && endpoint == OPEN && !discardingInFlight && !ended -> discardingInFlight = true }
  :: atomic { discardingInFlight && (endpoint == CLOSING || unreadInKernel > 0 || peerEnded) ->
       discardingInFlight = false;
       if
       :: unreadInKernel > 0 -> unreadInKernel--
       :: unreadInKernel == 0 && peerEnded && endpoint == OPEN -> ended = true; settleLingering()
       :: else
       fi }
  /* linger.ts expire */
  :: atomic { endpoint == OPEN && half[READER] != OPEN && half[WRITER] != OPEN -> submitClose(false) }
  :: atomic { sending ->
       sending = false;
       if
       :: unsentOfA > 0 -> unsentOfA--
       :: else -> unsentOfC = (unsentOfC > 0 -> unsentOfC - 1 : 0)
       fi;
       settle() }
  :: atomic { endpoint == OPEN && !sending && unsentOfA + unsentOfC > 0 -> sending = true }
  :: atomic { endpoint == CLOSING && !receiving && !sending && !discardingInFlight ->
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

proctype Peer() {
  do
  :: atomic { sentByPeer < 2 -> sentByPeer++; unreadInKernel++ }
  :: peerEnded = true -> break
  od
}

init {
  atomic { run Splitter(); run Claimant(READER); run Claimant(WRITER); run IoThread(); run Attacher(); run Peer() };
  _nr_pr == 1;
  assert(released[READER] == 1 && released[WRITER] == 1 && closes == 1)
}
