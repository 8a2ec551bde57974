/*
 * Who gets a connection that a listener deals among its sharers: the one that claims it, after any number of times that it was taken back and
 * dealt anew; never two, and never the I/O thread after somebody has claimed it. Models src/atomics/claim.ts as it is used by
 * src/worker/sources/sharer.ts (deal, takeBack), tcp-listener.ts (passOn, left) and src/client/sources/listener-source.ts (accept).
 *
 * Abstractions, and why they are sound:
 * - One connection, dealt DEALS times at most, each time into a slot of its own: that a slot's next tenant has another generation, and so another
 *   word, is shown by claim.pml. Whose slot it is makes no difference: every sharer tries every deal that was published, once, at any time.
 * - Taking back may come at any time: so how long a connection lies somewhere before it is passed on (passOnAfterMs) is no part of the argument.
 * - A sharer that has claimed the connection may detach it from the same slot at once, before the I/O thread looks at what it dealt.
 */
#define DEALS 3
#define DEALT 1      /* pending: Offer.DEALT */
#define CLAIMED 2
#define DETACHED 3   /* pending: Offer.DETACHED */
#define EXPIRED 4

byte claimWord[DEALS];
bool published[DEALS];   /* ACCEPTED */
bool over;               /* nothing is dealt any more */
byte owners;             /* ghost: who got it, the I/O thread's reset included */

inline accept(d) {
  bool mine = false;
#ifdef MUTATE_CLAIM_IN_TWO_STEPS /* claim.ts claim: a load and a store for the compare-and-swap */
  if
  :: claimWord[d] == DEALT -> claimWord[d] = CLAIMED; mine = true
  :: else
  fi;
#else
  atomic {
    if
    :: claimWord[d] == DEALT -> claimWord[d] = CLAIMED; mine = true
    :: else
    fi
  };
#endif
  if
  :: mine ->
     owners++;
     if
     :: true              /* keeps it */
     :: claimWord[d] = DETACHED
     fi
  :: else -> assert(claimWord[d] > DEALT)   /* was taken back, and refused for no other reason */
  fi
}

proctype Sharer() {
  byte d;
  for (d : 0 .. DEALS - 1) {
    if
    :: published[d] -> accept(d)
    :: over && !published[d]
    :: true               /* stalls, or has died */
    fi
  }
}

proctype IoThread() {
  byte d;
  byte was;
  for (d : 0 .. DEALS - 1) {
#ifdef MUTATE_PUBLISHED_FIRST /* sharer.ts deal: ACCEPTED before pending is stored */
    published[d] = true;
    claimWord[d] = DEALT;
#else
    claimWord[d] = DEALT;
    published[d] = true;
#endif
#ifdef MUTATE_LOOK_THEN_STORE /* claim.ts expire: a load and a store for the compare-and-swap */
    was = claimWord[d];
    if
    :: was == DEALT -> claimWord[d] = EXPIRED
    :: else
    fi;
#else
    atomic {
      was = claimWord[d];
      if
      :: was == DEALT -> claimWord[d] = EXPIRED
      :: else
      fi
    };
#endif
    if
    :: was == DEALT       /* dealt to the next */
#ifdef MUTATE_DETACHED_IS_NOBODYS /* claim.ts expire: 0 for what was taken back, as for what its owner has detached */
    :: was == DETACHED
#else
    :: was == DETACHED -> break
#endif
    :: was == CLAIMED -> break
    fi
  };
  if
  :: d > DEALS - 1 -> owners++   /* the last sharer has gone: reset */
  :: else
  fi;
  over = true
}

init {
  atomic { run Sharer(); run Sharer(); run IoThread() };
  _nr_pr == 1;
  assert(owners == 1)
}
