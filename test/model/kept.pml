/*
 * A listener or datagram socket that goes with a Poll from A to B, and from B on to C: at every moment somebody has it, or it is kept, or
 * it is closed, once; whoever attaches it in time gets it. Models src/worker/sources/kept.ts as it is used by sharer.ts (detach),
 * tcp-listener.ts and datagram-socket.ts (keep, letGo, left), and src/worker/clients/submissions.ts (attachShared, catchUp).
 *
 * All of it happens on the I/O thread; what interleaves is what it reads: three rings, in any order, each up to any point, while their
 * clients go on writing, end, and hand on names by ways that it does not see.
 *
 * Abstractions, and why they are sound:
 * - A ring is two counters, published and taken: ring.pml shows that it is one. What is in it is fixed: A's is DETACH; B's ATTACH, DETACH; C's ATTACH.
 * - A name's use word lets one thread attach it (claim.pml): so there is one thread for each name.
 * - Time is none: a kept socket expires at any moment. A client may end before any of its steps; what it published is taken first.
 */
#define A 0
#define B 1
#define C 2

byte published[3];
bool named[2];        /* the name that A, that B gave away is out */
bool ended[3];        /* the client's thread */

/* The I/O thread's own. */
byte taken[3];
bool kept[2];         /* by whom it was detached */
bool expired[2];      /* ghost */
bool shares[3];
bool gone[3];         /* the session's end was taken */
byte sharers = 1;
byte keeps;
byte closed;

inline closeIfLast() {
  if
  :: sharers == 0 && keeps == 0 -> closed++; assert(closed == 1)
  :: else
  fi
}

inline leave(x) {
  shares[x] = false; sharers--;
  closeIfLast()
}

inline letGo(x) {
  kept[x] = false; keeps--;
  closeIfLast()
}

/* DETACH_SHARED of A's, or of B's */
inline detach(x) {
  taken[x]++;
  if
  :: shares[x] ->
#ifdef MUTATE_LEAVE_FIRST /* sharer.ts detach: the sharer closes before the socket is kept */
     leave(x);
     kept[x] = true; keeps++
#else
     kept[x] = true; keeps++;
     leave(x)
#endif
  :: else             /* it never arrived there: a stale slot */
  fi
}

/* ATTACH_SHARED by `to` of what `from` detached, which was caught up with */
inline arrive(to, from) {
  taken[to]++;
  if
  :: kept[from] ->
#ifdef MUTATE_LET_GO_FIRST /* submissions.ts attachShared: let go before it has a sharer */
     letGo(from);
     shares[to] = true; sharers++
#else
     shares[to] = true; sharers++;
     letGo(from)
#endif
  /* Too late, or lost before: and for no other reason. */
  :: else -> assert(expired[A] || expired[B])
  fi;
  assert(closed == 0 || sharers == 0)
}

inline attachB() {
#ifndef MUTATE_NO_CATCH_UP /* submissions.ts catchUp */
  if
  :: !gone[A] && !kept[A] && taken[A] < published[A] -> detach(A)
  :: else
  fi;
#endif
  arrive(B, A)
}

inline attachC() {
#ifndef MUTATE_NO_CATCH_UP
  if
  :: !gone[B] && !kept[B] && taken[B] == 0 && published[B] > 0 -> attachB()
  :: else
  fi;
#ifndef MUTATE_CATCH_UP_BY_ONE /* submissions.ts catchUp: one submission, instead of those up to the one that made it */
  if
  :: !gone[B] && !kept[B] && taken[B] == 1 && published[B] > 1 -> detach(B)
  :: else
  fi;
#endif
#endif
  arrive(C, B)
}

proctype ClientA() {
  if
  :: published[A] = 1 -> named[A] = true
  :: true             /* ends with it */
  fi;
  ended[A] = true
}

proctype ClientB() {
  if
  :: named[A] -> published[B] = 1;
     if
     :: published[B] = 2 -> named[B] = true
     :: true
     fi
  :: true             /* never attaches it */
  fi;
  ended[B] = true
}

proctype ClientC() {
  if
  :: named[B] -> published[C] = 1
  :: true
  fi;
  ended[C] = true
}

/* The session's last step: what it published was taken, what it still has closes. */
inline end(x) {
  gone[x] = true;
  if
  :: shares[x] -> leave(x)
  :: else
  fi
}

proctype IoThread() {
  do
  :: atomic { taken[A] < published[A] -> detach(A) }
  :: atomic { taken[B] == 0 && published[B] > 0 -> attachB() }
  :: atomic { taken[B] == 1 && published[B] > 1 -> detach(B) }
  :: atomic { taken[C] < published[C] -> attachC() }
  :: atomic { ended[A] && !gone[A] && taken[A] == published[A] -> end(A) }
  :: atomic { ended[B] && !gone[B] && taken[B] == published[B] -> end(B) }
  :: atomic { ended[C] && !gone[C] && taken[C] == published[C] -> end(C) }
#ifndef MUTATE_NEVER_EXPIRES /* kept.ts expire */
  :: atomic { kept[A] -> expired[A] = true; letGo(A) }
  :: atomic { kept[B] -> expired[B] = true; letGo(B) }
#endif
  :: gone[A] && gone[B] && gone[C] && !kept[A] && !kept[B] -> break
  od
}

init {
  shares[A] = true;
  atomic { run ClientA(); run ClientB(); run ClientC(); run IoThread() };
  _nr_pr == 1;
  assert(closed == 1 && sharers == 0 && keeps == 0)
}
