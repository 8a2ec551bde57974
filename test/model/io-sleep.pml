/*
 * The I/O thread's sleep protocol: no submission is slept over. Models src/atomics/io-sleep.ts as it is used by
 * src/worker/loop/turn-loop.ts (turn, #sleep), src/client/link/client.ts (flush) and src/client/io-thread/io-thread.ts (stop).
 *
 * Abstractions, and why they are sound:
 * - A ring is its two counters; ring.pml shows that counters suffice. Every counter is SeqCst in the source, so
 *   interleaving is exactly the memory model; a weaker order appears as a mutation that swaps two steps.
 * - The kernel's wait has no time-out. The source's 100 ms slice would only hide a lost wake.
 * - The awakener is one bit that persists until drained; awakener.pml shows that the real one behaves so.
 * - A turn takes one entry per client: the smallest limit leaves the most entries behind.
 * - Sockets complete COMPLETIONS times at any moment: they end a sleep without a client's swap.
 *
 * Everything is finite, so "no cycle" and "right when nothing moves" together say: in every execution every
 * published submission is taken.
 *
 * CHECK clients: -DCLIENTS=2 -DSUBMISSIONS=2 -DCOMPLETIONS=0
 * CHECK sockets: -DCLIENTS=2 -DSUBMISSIONS=1 -DCOMPLETIONS=1
 */
#define AWAKE 0
#define ASLEEP 1

byte tail[CLIENTS];
byte head[CLIENTS];
bit sleepWord = AWAKE;
bool stopWord;

bool woken;      /* the awakener's descriptor is readable */
bool completion; /* a socket is ready */
bool inKernel;   /* the I/O thread waits in the kernel */
bool ended;      /* the I/O thread has left its loop */

/* Ghosts. */
bool sleeping;   /* the I/O thread is between A1 and A4 */
byte claims;     /* swaps won during this sleep */

inline claimWake() {
  if
  :: sleepWord != ASLEEP
  :: else ->
#ifdef MUTATE_LOAD_INSTEAD_OF_SWAP /* io-sleep.ts claimWake: only loads, so every client pays for the call */
     atomic { claimed = true; claims++; assert(claims <= 1) }
#else
     atomic {
       if
       :: sleepWord == ASLEEP ->
          sleepWord = AWAKE; claimed = true; claims++;
          assert(sleeping);    /* nobody makes the call for a thread that is up */
          assert(claims <= 1)  /* one of many pays */
       :: else
       fi
     }
#endif
  fi
}

proctype Client(byte c) {
  byte n;
  bool claimed;
  for (n : 1 .. SUBMISSIONS) {
    claimed = false;
#ifdef MUTATE_CLAIM_BEFORE_PUBLISH /* client.ts flush: B2 before B1 */
    claimWake();
    tail[c]++;
#else
    tail[c]++;      /* B1 */
    claimWake();    /* B2 */
#endif
    if
    :: claimed ->   /* B3 */
#ifdef MUTATE_VOLATILE_WAKE /* awakener: a wake before the wait is forgotten */
       atomic { if :: inKernel -> woken = true :: else fi }
#else
       woken = true
#endif
    :: else
    fi
  }
}

/* IoThread's end: the wake is unconditional, so it needs no flag. */
proctype Stopper() {
  stopWord = true;
#ifndef MUTATE_STOP_WITHOUT_WAKE /* io-thread.ts: requestStop is followed by a wake */
  woken = true
#endif
}

proctype Sockets() {
  byte n;
  do
  :: n < COMPLETIONS -> n++; completion = true
  :: else -> break
  od
}

/* port.turn: returns in `count` what had come, and drains it. */
inline drainKernel() {
  atomic { count = woken + completion; woken = false; completion = false; inKernel = false }
}

inline lookAtTails() {
  news = false;
  c = 0;
  do
  :: c < CLIENTS -> news = news || (tail[c] != head[c]); c++
  :: else -> break
  od
}

proctype IoThread() {
  byte c, taken, count;
  bool idle, news;
  do
  :: stopWord -> break
  :: else ->
     taken = 0; c = 0;
     do
     :: c < CLIENTS ->
        if
        :: tail[c] != head[c] -> head[c]++; taken++
        :: else
        fi;
        c++
     :: else -> break
     od;
     if
     :: taken == 0 && idle ->
#ifdef MUTATE_LOOK_BEFORE_RAISE /* turn-loop.ts #sleep: A2 before A1 */
        lookAtTails();
        atomic { sleepWord = ASLEEP; sleeping = true; claims = 0 }
#else
#ifndef MUTATE_NO_RAISE /* turn-loop.ts #sleep: without raiseAsleep */
        atomic { sleepWord = ASLEEP; sleeping = true; claims = 0 } /* A1 */
#endif
#ifdef MUTATE_NO_LOOK /* turn-loop.ts #sleep: without hasSubmissions */
        news = false;
#else
        lookAtTails(); /* A2 */
#endif
#endif
        if
        :: news || stopWord
        :: else ->
           inKernel = true;
end_asleep: woken || completion /* A3: for ever, if nothing comes */
        fi;
        drainKernel();
#ifdef MUTATE_NO_LOWER /* turn-loop.ts #sleep: without lowerAsleep */
        sleeping = false
#else
        atomic { sleepWord = AWAKE; sleeping = false } /* A4 */
#endif
     :: else -> drainKernel()
     fi;
     idle = (taken == 0 && count == 0)
  od;
  ended = true
}

/* When nothing moves any more: the I/O thread has everything, or was told to stop and did. */
proctype Quiescence() {
  byte c;
  timeout;
  if
  :: stopWord -> assert(ended)
  :: else ->
     for (c : 0 .. CLIENTS - 1) { assert(tail[c] == head[c]) }
  fi
}

init {
  byte c;
  atomic {
    run IoThread();
    for (c : 0 .. CLIENTS - 1) { run Client(c) }
    run Sockets();
    if
    :: run Stopper()
    :: skip
    fi;
    run Quiescence()
  }
}
