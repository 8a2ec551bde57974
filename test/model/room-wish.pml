/*
 * The wish for room: a stream that found none is asked again when it can have some, although completed sends ring no
 * bell by themselves, and ring none for a wish before so many have completed as it is for. Models wishForRoom and wantsRoom of
 * src/atomics/flag.ts as they are used by src/client/link/roomless.ts, client.ts (#drainEvents) and
 * src/worker/clients/session.ts (sent, publish).
 *
 * Abstractions, and why they are sound:
 * - Two streams. One has room for three sends and, once full, none before all have completed, which may be never: its peer may stop reading.
 *   The other has room for one. Room for more only makes waiting rarer.
 * - Counts are not taken modulo anything: there are fewer than WRITES of them.
 * - Of the event ring there remains how many SENT of whom are published; publishing is one store for all of them (ring.pml).
 * - doorbell.pml has the sleep protocol itself; here is one ringer, and the client always has a wait pending, which is
 *   what a blocked poll comes down to as well: wish, raise, look, sleep. A program may write at any moment in between.
 */
#define STREAMS 2
#define WRITES 6
#define ROOM(stream) (3 - 2 * stream)

#define AWAKE 0
#define LISTENING 1
#define RUNG 2

byte sleepWord = AWAKE;
byte wish;                /* Header.ROOM_WANTED: 0, or one more than the sends that it is for */
byte submitted[STREAMS];
byte sent[STREAMS];       /* published and not drained */
byte callbacks;
bool stalled;             /* the first stream's peer reads no more */

/* The client's own. */
byte unsent[STREAMS];
bool roomless[STREAMS];
byte taken;               /* sends drained, of all streams */
bool callbackDue, settleScheduled, news;

#define ANY(of) (of[0] || of[1])

/* Everything completed becomes visible with one store of the tail. */
inline publish() {
  atomic {
    published = published + done[0] + done[1];
    sent[0] = sent[0] + done[0]; sent[1] = sent[1] + done[1];
    done[0] = 0; done[1] = 0
  }
}

proctype IoThread() {
  byte done[STREAMS], published;
  bool wanted, rings;
end: do
  :: atomic { submitted[0] > 0 && !stalled -> submitted[0]--; done[0]++ }
  :: !stalled -> stalled = true
  :: atomic { submitted[1] > 0 -> submitted[1]--; done[1]++ }
  :: done[0] + done[1] > 0 ->
     /* Session.publish */
#ifdef MUTATE_WISH_LOADED_BEFORE_PUBLISHING /* session.ts publish: wantsRoom before #events.publish */
     wanted = (wish > 0 && published + done[0] + done[1] >= wish - 1);
     publish();
#else
     publish();
#ifdef MUTATE_RING_ONLY_AT_THE_COUNT /* flag.ts wantsRoom: a difference of 0, though one publication may pass the count */
     wanted = (wish > 0 && published == wish - 1);
#else
     wanted = (wish > 0 && published >= wish - 1);
#endif
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

/* Waits.#relisten: a wait is pending. */
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

/* Of the roomless the one whose sends are the fewest; all of a stream's must complete. */
#ifdef MUTATE_WISH_FOR_THE_FARTHEST /* roomless.ts #wishAnew: Math.max */
#define NEAREST (roomless[0] && (!roomless[1] || unsent[0] >= unsent[1]) -> unsent[0] : unsent[1])
#else
#define NEAREST (roomless[0] && (!roomless[1] || unsent[0] <= unsent[1]) -> unsent[0] : unsent[1])
#endif

/* Waits.#settleAll: drain, ask the roomless again, relisten. */
inline settleAll() {
  atomic {
    freed = ANY(sent);
    taken = taken + sent[0] + sent[1];
    unsent[0] = unsent[0] - sent[0]; sent[0] = 0;
    unsent[1] = unsent[1] - sent[1]; sent[1] = 0
  };
  if
  :: freed ->
     atomic {
       freed = false;
       /* DeferredSources.askAgain: who has room now is told that it may write. */
       if :: roomless[0] && unsent[0] == 0 -> roomless[0] = false :: else fi;
       if :: roomless[1] && unsent[1] == 0 -> roomless[1] = false :: else fi
     };
     /* Roomless.#wishAnew */
     if
     :: ANY(roomless) ->
#ifdef MUTATE_WITHDRAW_WHILE_OTHERS_WAIT /* roomless.ts #wishAnew: without the look whether anybody waits */
        wish = 0
#else
        wish = taken + NEAREST + 1
#endif
     :: else ->
#ifndef MUTATE_NEVER_WITHDRAW /* roomless.ts #wishAnew: the wish stands for ever */
        wish = 0;
#endif
        skip
     fi
  :: else
  fi;
  relisten()
}

/* StreamSource.write of a stream: takes the room, or waits for it (Roomless.#wish). */
inline write(stream) {
  if
  :: unsent[stream] < ROOM(stream) && !roomless[stream] -> atomic { unsent[stream]++; submitted[stream]++ }
  :: unsent[stream] == ROOM(stream) && !roomless[stream] ->
     roomless[stream] = true;
     if
#ifdef MUTATE_ONLY_THE_FIRST_WISHES /* roomless.ts #wish: returns if there is a wish, whatever it is for */
     :: wish == 0 ->
#else
     :: wish == 0 || taken + unsent[stream] + 1 < wish ->
#endif
#ifdef MUTATE_LOOK_BEFORE_WISHING /* roomless.ts: `wished` before #wish */
        news = ANY(sent);
        wish = taken + unsent[stream] + 1;
#else
#ifndef MUTATE_NO_WISH /* roomless.ts #wish: without wishForRoom */
        wish = taken + unsent[stream] + 1;
#endif
#ifndef MUTATE_WISH_WITHOUT_LOOK /* roomless.ts: without `wished`; the doorbell may have been up before the wish */
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
  bool freed;
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

/* When nothing moves any more every send has completed whose peer reads: nobody else may still wait for room, or wish. */
proctype Quiescence() {
  timeout;
  assert(!roomless[1]);
  assert(stalled || !roomless[0]);
  assert(wish == 0 || roomless[0])
}

init {
  atomic { run IoThread(); run Client(); run Quiescence() }
}
