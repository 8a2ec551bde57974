/*
 * Who gets a detached stream: one of the threads that have its name, or the I/O thread, which closes it when its time is over; never
 * two of them, and never the stream that has its slot afterwards. Models src/atomics/claim.ts as it is used by
 * src/client/sources/stream-transfer.ts (claimStream) and src/worker/sources/transfers.ts.
 *
 * Abstractions, and why they are sound:
 * - One slot, from which STREAMS streams are detached one after the other. Names are handed to both claimants, who may be slow: each
 *   tries both names, in any order, at any time after they were made.
 * - A claimant may die between its two swaps. The I/O thread then finds the name used and the claim undecided: it expires as if
 *   nobody had come. So the time-out is what decides last, and it may come at any time.
 * - The rings are channels of one flag: ring.pml shows that they are.
 */
#define STREAMS 2
#define PENDING 1
#define CLAIMED 2   /* and by whom: CLAIMED + claimant */
#define EXPIRED 7

#ifdef MUTATE_NO_GENERATION /* claim.ts word: without the generation */
#define WORD(g, by) (by)
#else
#define WORD(g, by) (8 * (g) + (by))
#endif

byte claimWord;
bool used[STREAMS];        /* each name's own use word */
bool named[STREAMS];       /* the name is out */
bool detached[STREAMS];    /* DETACH_STREAM is published */
bool decided[STREAMS];     /* RELEASED: the slot is free */
byte owners[STREAMS];      /* ghost: who got it, the I/O thread's closing included */

proctype Detacher() {
  byte s;
  for (s : 0 .. STREAMS - 1) {
#ifdef MUTATE_NAME_FIRST /* stream-move.ts detachStream: the name is out before pending is stored */
    named[s] = true;
    claimWord = WORD(s + 1, PENDING);
#else
    claimWord = WORD(s + 1, PENDING);
    named[s] = true;
#endif
    detached[s] = true;
    decided[s]             /* or the slot is not free for the next one */
  }
}

inline attach(s) {
  bool first = false;
  /* NameUse: FRESH to USED, one swap */
  atomic { first = !used[s] ; used[s] = true };
  if
  :: first ->
     if
     :: true ->            /* goes on */
#ifdef MUTATE_CLAIM_IN_TWO_STEPS /* claim.ts claim: a load and a store for the compare-and-swap */
        if
        :: claimWord == WORD(s + 1, PENDING) -> claimWord = WORD(s + 1, CLAIMED + me); owners[s]++
        :: else
        fi
#else
        atomic {
          if
          :: claimWord == WORD(s + 1, PENDING) -> claimWord = WORD(s + 1, CLAIMED + me); owners[s]++
          :: else -> assert(decided[s] || claimWord == WORD(s + 1, EXPIRED))  /* too late, and for no other reason */
          fi
        }
#endif
     :: goto dead          /* terminated between the two swaps */
     fi
  :: else
  fi
}

proctype Claimant(byte me) {
  bool tried[STREAMS];
  do
  :: named[0] && !tried[0] -> tried[0] = true; attach(0)
  :: named[1] && !tried[1] -> tried[1] = true; attach(1)
  :: tried[0] && tried[1] -> break
  :: true -> break         /* has lost interest */
  od;
dead:
  skip
}

proctype IoThread() {
  byte s;
  for (s : 0 .. STREAMS - 1) {
    detached[s];
    if
    :: claimWord == WORD(s + 1, CLAIMED + 0) || claimWord == WORD(s + 1, CLAIMED + 1)
#ifdef MUTATE_EXPIRE_BY_STORE /* claim.ts expire: a load and a store for the compare-and-swap */
    :: claimWord == WORD(s + 1, PENDING) -> claimWord = WORD(s + 1, EXPIRED); owners[s]++
#else
    :: atomic { claimWord == WORD(s + 1, PENDING) -> claimWord = WORD(s + 1, EXPIRED); owners[s]++ }
#endif
#ifdef MUTATE_RELEASE_UNDECIDED /* transfers.ts: the slot is released before the claim is decided */
    :: true
#endif
    fi;
    decided[s] = true
  }
}

init {
  atomic { run Detacher(); run Claimant(0); run Claimant(1); run IoThread() };
  _nr_pr == 1;
  assert(owners[0] == 1 && owners[1] == 1)
}
