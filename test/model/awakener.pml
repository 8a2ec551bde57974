/*
 * The native awakener: no wake is lost between the word of reasons and the descriptor. Models Wake, Drain and IsRaised
 * of native/port/awakener.cc, and the two places of native/readiness/readiness_port.cc (Turn) where they are called.
 *
 * Abstractions, and why they are sound:
 * - Wakers call Wake without PortRecord's mutex: the class promises "any thread", which is more than its users need.
 * - The descriptor is a count: a write adds one, a read empties it (an eventfd; a pipe gives up to eight bytes at a time,
 *   more than there are wakers here). It never blocks and a full one is readable, as the source's comment says.
 * - IsRaised is relaxed: it may miss a value, but not for ever. It does so at most STALE times here.
 * - The wait has no time-out. When it ends with other completions at hand, draining is left to the next turn.
 *
 * Everything is finite, so "no cycle" and "right when nothing moves" together say: every reason is told in the end.
 *
 * CHECK often: -DWAKERS=2 -DWAKES=3
 * CHECK many:  -DWAKERS=3 -DWAKES=1
 */
#define STALE 1
#define COMPLETIONS 1

byte reasons;     /* one bit per waker */
byte descriptor;  /* what a read would empty */
bool completion;

/* Ghosts. */
byte told;        /* bits that a drain returned */
byte writes;      /* calls of write(2) that were begun */
byte drains;      /* exchanges that took something */

inline write2() {
  /* Every write belongs to another rise from zero, so a drain lies between two of them. */
  atomic { writes++; assert(writes <= drains + 1) }
  descriptor++
}

proctype Waker(byte bit_) {
  byte n, old;
  for (n : 1 .. WAKES) {
#ifdef MUTATE_WRITE_BEFORE_RAISE /* awakener.cc Wake: write(2) before fetch_or */
    old = reasons;
    if
    :: old == 0 -> descriptor++
    :: else
    fi;
    reasons = reasons | bit_
#else
#ifdef MUTATE_OR_IN_TWO_STEPS /* awakener.cc Wake: a load and a store for the fetch_or */
    old = reasons;
    reasons = old | bit_;
#else
    atomic { old = reasons; reasons = reasons | bit_ }
#endif
#ifdef MUTATE_EVERY_WAKE_WRITES /* awakener.cc Wake: without the return when reasons_ was nonzero */
    write2()
#else
    if
    :: old == 0 ->
#ifndef MUTATE_NO_WRITE /* awakener.cc Wake: without write(2) */
       write2()
#else
       skip
#endif
    :: else
    fi
#endif
#endif
  }
}

inline told_() {
  told = told | taken; drains = drains + (taken != 0); taken = 0
}

inline take() {
#ifdef MUTATE_TAKE_IN_TWO_STEPS /* awakener.cc Drain: a load and a store for the exchange */
  taken = reasons;
  atomic { reasons = 0; told_() }
#else
  atomic { taken = reasons; reasons = 0; told_() }
#endif
}

inline drain() {
#ifdef MUTATE_TAKE_BEFORE_EMPTYING /* awakener.cc Drain: the exchange before the read */
  take();
  descriptor = 0
#else
  descriptor = 0;
  take()
#endif
}

proctype Port() {
  byte taken, stale;
  bool others;
  do
  :: true ->
     /* The start of Turn. */
     if
     :: reasons != 0 -> drain()
     :: reasons == 0
     :: reasons != 0 && stale < STALE -> stale++
     fi;
end_waiting: descriptor > 0 || completion;
     atomic { others = completion; completion = false };
     if
     :: descriptor > 0 && !others -> drain()
     :: else
     fi
  od
}

proctype Sockets() {
  byte n;
  for (n : 1 .. COMPLETIONS) { completion = true }
}

proctype Quiescence() {
  timeout;
  assert(reasons == 0);
  assert(told == (1 << WAKERS) - 1)
}

init {
  byte w;
  atomic {
    run Port();
    for (w : 0 .. WAKERS - 1) { run Waker(1 << w) }
    run Sockets();
    run Quiescence()
  }
}
