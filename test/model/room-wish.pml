/*
 * The wish for room: a stream that found none is asked again when its sends complete, although completed sends ring no
 * bell by themselves. Models wishForRoom and wantsRoom of src/atomics/flag.ts as they are used by src/client/link/client.ts
 * (awaitRoom, drain, #askAgain) and src/worker/clients/session.ts (push, publish).
 *
 * Abstractions, and why they are sound:
 * - Two streams, each with room for one send: room for more only makes waiting rarer.
 * - Of the event ring there remains whose SENT is published; publishing is one store for all of them (ring.pml).
 * - doorbell.pml has the sleep protocol itself; here is one ringer, and the client always has a wait pending, which is
 *   what a blocked poll comes down to as well: wish, raise, look, sleep. A program may write at any moment in between.
 */
#define STREAMS 2
#define WRITES 4

#define AWAKE 0
#define LISTENING 1
#define RUNG 2

byte sleepWord = AWAKE;
bool wish;                /* Header.ROOM_WANTED */
bool submitted[STREAMS];
bool sent[STREAMS];       /* published and not drained */
byte callbacks;

/* The client's own. */
bool unsent[STREAMS], roomless[STREAMS];
bool callbackDue, settleScheduled, news;

#define ANY(of) (of[0] || of[1])

/* Everything completed becomes visible with one store of the tail. */
inline publish() {
  atomic {
    sent[0] = sent[0] || done[0]; sent[1] = sent[1] || done[1];
    done[0] = false; done[1] = false; some = false
  }
}

proctype IoThread() {
  bool done[STREAMS], some, wanted, rings;
end: do
  :: atomic { submitted[0] -> submitted[0] = false; done[0] = true; some = true }
  :: atomic { submitted[1] -> submitted[1] = false; done[1] = true; some = true }
  :: some ->
     /* Session.publish */
#ifdef MUTATE_WISH_LOADED_BEFORE_PUBLISHING /* session.ts publish: wantsRoom before #events.publish */
     wanted = wish;
     publish();
#else
     publish();
     wanted = wish;
#endif
     if
     :: wanted ->
        wanted = false;
        rings = (sleepWord == LISTENING);
        atomic {
          if
          :: rings && sleepWord == LISTENING -> sleepWord = RUNG
          :: else -> rings = false
          fi
        };
        atomic { if :: rings -> rings = false; callbacks++; assert(callbacks <= 1) :: else fi }
     :: else
     fi
  od
}

inline lower() {
  atomic { if :: sleepWord == RUNG -> callbackDue = true :: else fi; sleepWord = AWAKE }
}

/* Client.#relisten: a wait is pending. */
inline relisten() {
  lower();
  if
  :: callbackDue
  :: else ->
     sleepWord = LISTENING;
     news = ANY(sent);
     if
     :: news -> news = false; lower(); settleScheduled = true
     :: else
     fi
  fi
}

/* Client.#settleAll: drain, ask the roomless again, relisten. */
inline settleAll() {
  atomic {
    freed = ANY(sent);
    if :: sent[0] -> sent[0] = false; unsent[0] = false :: else fi;
    if :: sent[1] -> sent[1] = false; unsent[1] = false :: else fi
  };
  if
  :: freed ->
     atomic {
       freed = false;
       /* #askAgain: who has room now is told that it may write. */
       if :: roomless[0] && !unsent[0] -> roomless[0] = false :: else fi;
       if :: roomless[1] && !unsent[1] -> roomless[1] = false :: else fi
     };
#ifdef MUTATE_WITHDRAW_WHILE_OTHERS_WAIT /* client.ts #askAgain: whenEmpty without the look whether it is */
     wish = false;
#else
#ifndef MUTATE_NEVER_WITHDRAW /* client.ts #drainEvents: the wish stands for ever */
     if
     :: !ANY(roomless) -> wish = false
     :: else
     fi;
#endif
#endif
     skip
  :: else
  fi;
  relisten()
}

/* StreamSource.write of a stream: takes the room, or waits for it (Client.awaitRoom). */
inline write(stream) {
  if
  :: !unsent[stream] -> atomic { unsent[stream] = true; submitted[stream] = true }
  :: unsent[stream] && !roomless[stream] ->
     first = !ANY(roomless);
     roomless[stream] = true;
     if
     :: first ->
        first = false;
#ifdef MUTATE_LOOK_BEFORE_WISHING /* client.ts awaitRoom: hasNews before wishForRoom */
        news = ANY(sent);
        wish = true;
#else
#ifndef MUTATE_NO_WISH /* client.ts awaitRoom: without wishForRoom */
        wish = true;
#endif
#ifndef MUTATE_WISH_WITHOUT_LOOK /* client.ts awaitRoom: without hasNews; the doorbell may have been up before the wish */
        news = ANY(sent);
#endif
#endif
        if
        :: news -> news = false; settleScheduled = true
        :: else
        fi
     :: else
     fi
  :: else
  fi
}

proctype Client() {
  bool freed, first;
  byte writes;
  sleepWord = LISTENING; /* before anything is sent there is nothing to look for */
end: do
  :: callbacks > 0 ->
     callbacks--;
     sleepWord = AWAKE;
     callbackDue = false;
     settleAll()
  :: settleScheduled ->
     settleScheduled = false;
     settleAll()
  :: writes < WRITES -> writes++; write(0)
  :: writes < WRITES -> writes++; write(1)
  :: writes < WRITES -> writes = WRITES /* the program writes no more */
  od
}

/* When nothing moves any more every send has completed: nobody may still wait for room, and nobody wishes. */
proctype Quiescence() {
  timeout;
  assert(!roomless[0] && !roomless[1]);
  assert(!wish)
}

init {
  atomic { run IoThread(); run Client(); run Quiescence() }
}
