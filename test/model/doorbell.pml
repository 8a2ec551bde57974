/*
 * A client's sleep protocol: no wake-up is lost, and at most one doorbell callback is queued. Models
 * src/atomics/doorbell.ts and signal.ts as they are used by src/client/link/client.ts and waits.ts (block, #relisten, #settleAll, rung,
 * life.ts look), src/client/polling/remote-signal.ts (raise) and src/worker/clients/session.ts (publish, detach).
 *
 * Abstractions, and why they are sound:
 * - Every shared word is SeqCst in the source: interleaving is exactly the memory model.
 * - The event ring is its two counters (ring.pml). Every event is worth ringing; sends are in room-wish.pml.
 * - Atomics.wait compares and goes to sleep in one step, as ECMA-262 says. Its slice of 100 ms is absent: it would hide a
 *   lost wake. A poll's own time-out happens TIMEOUTS times at any moment.
 * - The client's thread is one process: callbacks, immediates and the program run one at a time, to their end. The program
 *   begins a wait whenever none is pending, and in between makes POLLS blocking polls (of another Poll) and CANCELS aborts.
 *   Any news settles a wait: a wait that ignores some news only waits longer.
 * - A terminated thread ends between any two steps that are not one native call. One waker may be terminated between B1 and
 *   B2, or B2 and B3. Ringing a listening client is a native call; ended between the swap and the notification, it costs a
 *   blocked client one slice, which is not modelled. (When the I/O thread dies its port rings everybody, so its
 *   death needs no model.)
 *
 * Everything is finite, so "no cycle" and "right when nothing moves" together say: all news is taken in the end.
 * All at once is too much to search through, so each check has some of it:
 *
 * CHECK blocking:  -DPOLLS=1 -DTIMEOUTS=0 -DCANCELS=0 -DEVENTS=1 -DWAKES=1 -DMORTAL_WAKES=0 -DDETACHES=true
 * CHECK listening: -DPOLLS=0 -DTIMEOUTS=0 -DCANCELS=1 -DEVENTS=1 -DWAKES=1 -DMORTAL_WAKES=0 -DDETACHES=true
 * CHECK dying:     -DPOLLS=0 -DTIMEOUTS=0 -DCANCELS=1 -DEVENTS=0 -DWAKES=2 -DMORTAL_WAKES=1 -DDETACHES=false
 * CHECK both:      -DPOLLS=1 -DTIMEOUTS=1 -DCANCELS=1 -DEVENTS=2 -DWAKES=1 -DMORTAL_WAKES=0 -DDETACHES=false
 */
#define WAKERS 2

#define AWAKE 0
#define BLOCKED 1
#define LISTENING 2
#define RUNG 3

byte sleepWord = AWAKE;
byte tail, head;     /* the event ring */
byte signals;        /* Header.SIGNALS */
bit signalWord;      /* one Awakener, shared by all wakers */
bool detached;       /* Header.STATUS */

bool inWait;         /* asleep in Atomics.wait */
byte callbacks;      /* doorbell callbacks in the event loop's queue */
bool ended;          /* the client has noticed that it is detached */

/* Ghosts. */
bool raised[WAKERS]; /* a signal raised by this waker and not taken */
bool owed[WAKERS];   /* and its wake() has returned */
byte timeouts;

/* ring; the caller has published. `state`: what was loaded, then AWAKE if there is nothing to do. */
inline ring() {
  atomic { state = sleepWord; if :: state == RUNG -> state = AWAKE :: else fi };
  if
  :: state == BLOCKED ->
     atomic {
       if
       :: sleepWord == BLOCKED ->
#ifndef MUTATE_NOTIFY_WITHOUT_SWAP /* doorbell.ts ring: the word stays BLOCKED */
          sleepWord = AWAKE
#endif
       :: else -> state = AWAKE
       fi
     }
     atomic { if :: state == BLOCKED -> inWait = false; state = AWAKE :: else fi } /* Atomics.notify */
  :: state == LISTENING ->
#ifndef MUTATE_RING_WITHOUT_SWAP /* doorbell.ts ring: rings after a mere load */
     atomic {
       if
       :: sleepWord == LISTENING -> sleepWord = RUNG
       :: else -> state = AWAKE
       fi
     }
#endif
     /* ringDoorbell */
     atomic { if :: state == LISTENING -> callbacks++; state = AWAKE; assert(callbacks <= 1) :: else fi }
  :: else
  fi
}

proctype Waker(byte me; byte wakes; bool mayDie) {
  byte state;
  bit before;
  do
  :: wakes > 0 ->
     wakes--;
     /* raiseSignal. */
#ifdef MUTATE_COUNT_BEFORE_SIGNAL /* signal.ts raiseSignal: B2 before B1 */
     signals++;
     atomic { signalWord = 1; raised[me] = true };
#else
     atomic { before = signalWord; signalWord = 1; raised[me] = true };
     if
     :: mayDie -> break /* terminated between B1 and B2 */
     :: true
     fi;
#ifdef MUTATE_COUNT_ONLY_FIRST /* signal.ts raiseSignal: no B2 for a signal that was raised already */
     if
     :: before == 0 -> signals++
     :: else
     fi;
#else
     signals++;
#endif
#endif
     if
     :: mayDie -> break /* terminated between B2 and B3 */
     :: true
     fi;
#ifdef MUTATE_RING_ONLY_FIRST /* remote-signal.ts raise: no B3 for a signal that was raised already */
     if
     :: before == 0 -> ring()
     :: else
     fi;
#else
     ring();
#endif
     /* wake() has returned: it counts. */
     atomic { before = 0; if :: raised[me] -> owed[me] = true :: else fi }
  :: else -> break
  od
}

proctype IoThread() {
  byte n, state;
  do
  :: n < EVENTS ->
     n++;
#ifdef MUTATE_RING_BEFORE_PUBLISH /* session.ts publish: the ring before the tail */
     ring();
     tail++
#else
     tail++;
     ring()
#endif
  :: else -> break
  od;
  if
  :: DETACHES -> detached = true; ring() /* session.ts detach */
  :: true
  fi
}

/*
 * The client: its variables are private, so a step is one shared access together with the private work behind it.
 */
byte signalsSeen;
bool callbackDue, waiting, settleScheduled, blocking, news, got;

/* Sleeper.#lower. */
inline lower() {
#ifdef MUTATE_LOWER_BLINDLY /* doorbell.ts #lower: a store instead of the swap */
  sleepWord = AWAKE
#else
  atomic {
    if
    :: sleepWord == RUNG -> callbackDue = true
    :: else
    fi;
    sleepWord = AWAKE
  }
#endif
}

/* Client.#hasNews: a load each. */
inline hasNews() {
  news = (tail != head);
#ifndef MUTATE_IGNORE_SIGNALS /* client.ts hasNews: does not look at SIGNALS */
  news = news || (signals != signalsSeen);
#endif
#ifndef MUTATE_IGNORE_STATUS /* client.ts hasNews: does not look at STATUS */
  news = news || (detached && !ended)
#endif
}

#ifdef MUTATE_LISTEN_ALTHOUGH_DUE /* doorbell.ts listen: without the return while a callback is due */
#define DUE false
#else
#define DUE callbackDue
#endif

/* Sleeper.listen, and what Client.#relisten does with its answer. */
inline relisten() {
  lower(); /* stopListening, or the first step of listen */
  if
  :: waiting && !ended && !DUE ->
#ifdef MUTATE_LOOK_BEFORE_LISTENING /* doorbell.ts listen: A2 before A1 */
     hasNews();
     sleepWord = LISTENING;
#else
     sleepWord = LISTENING;
#ifndef MUTATE_LISTEN_WITHOUT_LOOK /* doorbell.ts listen: without A2 */
     hasNews();
#endif
#endif
     if
     :: news -> news = false; lower(); settleScheduled = true
     :: else
     fi
  :: else
  fi
}

inline lookForEnd() {
  if
  :: !ended && detached -> atomic { ended = true; waiting = false }; lower() /* #relisten: stopListening */
  :: else
  fi
}

/* Client.drain. `got`: something came. */
inline drain() {
  atomic { got = (tail != head); head = tail };
#ifdef MUTATE_TAKE_BEFORE_REMEMBERING /* signals.ts look: C3 before C2 */
  takeSignal();
  signalsSeen = signals
#else
  atomic {
    if
    :: signals != signalsSeen -> signalsSeen = signals; news = true
    :: else
    fi
  }
  if
  :: news -> news = false; takeSignal()
  :: else
  fi
#endif
}

inline takeSignal() {
  atomic {
    if
    :: signalWord == 1 ->
       signalWord = 0; got = true;
       raised[0] = false; raised[1] = false; owed[0] = false; owed[1] = false
    :: else
    fi
  }
}

inline settleAll() {
#ifndef MUTATE_SETTLE_WITHOUT_STATUS /* waits.ts #settleAll: does not look whether the I/O thread has ended */
  lookForEnd();
#endif
  drain();
  /* A settled wait leaves by removeWaiter, which relistens as well; once more changes nothing. */
  atomic { if :: got -> waiting = false; got = false :: else fi };
  relisten()
}

proctype Client() {
  byte polls, cancels;
  do
  :: callbacks > 0 ->
     callbacks--;
     /* Sleeper.calledBack. */
#ifndef MUTATE_CALLED_BACK_STAYS_RUNG /* doorbell.ts calledBack: does not swap RUNG away */
     sleepWord = AWAKE;
#endif
#ifndef MUTATE_DUE_FOR_EVER /* doorbell.ts calledBack: does not forget #callbackDue */
     callbackDue = false;
#endif
     settleAll()
  :: settleScheduled ->
     settleScheduled = false;
     settleAll()
  :: !waiting && !ended ->
     /* Poll.wait: answered at once, or a waiter more. */
     drain();
     if
     :: got -> got = false
     :: else -> waiting = true; relisten()
     fi
  :: waiting && cancels < CANCELS ->
     cancels++;
     waiting = false;
     relisten()
  :: polls < POLLS && !ended ->
     polls++;
     blocking = true;
     do
     :: blocking ->
        drain();
#ifndef MUTATE_NOBODY_SETTLES_WAITS /* client.ts drainForPoll and block: what another Poll waits for is not settled later */
        settleScheduled = settleScheduled || waiting;
#endif
        if
        :: got || ended -> got = false; blocking = false
        :: else ->
           /* Sleeper.block. */
           lower();
#ifdef MUTATE_LOOK_BEFORE_BLOCKING /* doorbell.ts block: A2 before A1 */
           hasNews();
           sleepWord = BLOCKED;
#else
           sleepWord = BLOCKED;
#ifndef MUTATE_BLOCK_WITHOUT_LOOK /* doorbell.ts block: without A2 */
           hasNews();
#endif
#endif
           if
           :: news -> news = false
           :: else ->
#ifdef MUTATE_WAIT_WITHOUT_COMPARE /* doorbell.ts block: sleeps whatever the word says */
              inWait = true;
#else
              inWait = (sleepWord == BLOCKED);
#endif
end_blocked:  if
              :: !inWait
              :: inWait && timeouts < TIMEOUTS -> timeouts++; inWait = false; blocking = false
              fi
           fi;
           lower();
           lookForEnd()
        fi
     :: else -> break
     od
  :: callbacks == 0 && !settleScheduled && (waiting || ended) ->
end_idle: callbacks > 0
  od
}

/* When nothing moves any more, the client has all that anybody told it. */
proctype Quiescence() {
  timeout;
  assert(callbacks == 0 || inWait); /* a blocked thread runs no callbacks */
  if
  :: detached -> assert(ended)
  :: else ->
     assert(tail == head);
     assert(!owed[0] && !owed[1])
  fi
}

init {
  atomic {
    run Client();
    run IoThread();
    run Waker(0, MORTAL_WAKES, true);
    run Waker(1, WAKES, false);
    run Quiescence()
  }
}
