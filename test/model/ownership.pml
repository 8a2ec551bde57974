/*
 * Who closes a lent descriptor: exactly one side, whatever dies and when. Models src/atomics/ownership.ts, native/binding/descriptor.cc
 * (Lend, CloseIfOwned), src/client/link/client.ts (lend), src/client/sources/source.ts (#openOn, end) and src/worker/clients/submissions.ts (open).
 *
 * Abstractions, and why they are sound:
 * - One slot, used by TENANTS sources one after the other, each with a descriptor of its own. The kernel gives a number
 *   again as soon as it is closed; so what counts is whether a close meets the socket that it was meant for.
 * - The old Descriptor object lives until the collector takes it, at any time after its source was released; the
 *   client's thread runs its clean-up when it ends, which may be after any step.
 * - The I/O thread may end after any step but one: between its swap and the ADOPT record's arrival in native code it is
 *   taken to go on. (Terminated right there it leaks the descriptor: README.md, "Known gaps".)
 */
#define TENANTS 2

#define CLOSED 0
#ifdef MUTATE_NO_GENERATION /* ownership.ts lent: the same value for every tenant */
#define LENT(g) 1
#define ADOPTED(g) 2
#else
#define LENT(g) (4 * (g) + 1)
#define ADOPTED(g) (4 * (g) + 2)
#endif

byte ownerWord = CLOSED;
byte closes[TENANTS];           /* by socket */
bool opened[TENANTS];           /* OPEN is published */
bool closing[TENANTS];          /* CLOSE is published */
bool released[TENANTS];         /* RELEASED is published */

bool clientEnds, ioEnds, clientGone, ioGone;

/* Descriptor objects: native, so each function runs to its end whatever becomes of the thread. */
bool has[TENANTS];              /* fd_ >= 0 */
bool lentOut[TENANTS];          /* owner_word_ != nullptr */

bool made[TENANTS];             /* ghost: there was such a socket */

inline closeSocket(t) {
  atomic { closes[t]++; assert(closes[t] == 1) }
}

/* Descriptor::CloseIfOwned. Its one shared access is the swap. */
inline closeIfOwned(t) {
  atomic {
    if
    :: has[t] && !lentOut[t] -> closeSocket(t)
    :: has[t] && lentOut[t] && ownerWord == LENT(t + 1) ->
#ifndef MUTATE_CLIENT_LOADS_AND_CLOSES /* descriptor.cc CloseIfOwned: a load for the compare-and-swap */
       ownerWord = CLOSED;
#endif
       closeSocket(t)
    :: else
    fi;
    has[t] = false
  }
}

/* The collector may take the first source's Descriptor, on this thread, whenever the source was released. */
inline maybeCollect() {
  if
  :: t == 1 -> closeIfOwned(0)
  :: true
  fi
}

proctype Client() {
  byte t;
  {
    for (t : 0 .. TENANTS - 1) {
      maybeCollect();
      atomic { has[t] = true; made[t] = true }; /* addon.socket: made with its owner */
#ifdef MUTATE_OFFER_AFTER_PUBLISHING /* source.ts #openOn: client.lend after the OPEN submission is published */
      opened[t] = true;
      ownerWord = LENT(t + 1);
      lentOut[t] = true;
#else
#ifdef MUTATE_LEND_AFTER_PUBLISHING /* client.ts lend: Descriptor.lend after the OPEN submission is published */
      ownerWord = LENT(t + 1);
      opened[t] = true;
      lentOut[t] = true;
#else
      ownerWord = LENT(t + 1);       /* offerDescriptor */
      lentOut[t] = true;             /* Descriptor.lend */
      maybeCollect();
      opened[t] = true;              /* OPEN, published */
#endif
#endif
      closing[t] = true;             /* Source.end: CLOSE, published */
      released[t]                    /* the slot is free, and may have another tenant */
    }
  } unless { clientEnds || ioGone };
  /* The clean-up of the thread, or of the objects of a client whose port is gone. */
  closeIfOwned(0);
  closeIfOwned(1);
  clientGone = true
}

bool adopted[TENANTS];           /* the port has the descriptor */

proctype IoThread() {
  byte t;
  {
    for (t : 0 .. TENANTS - 1) {
endOpen:
      opened[t] || clientGone;
      if
      :: opened[t] ->
         /* open: adoptDescriptor */
#ifdef MUTATE_ADOPT_WITHOUT_SWAP /* ownership.ts adoptDescriptor: takes it whoever has it */
         atomic { ownerWord = ADOPTED(t + 1); adopted[t] = true };
#else
         atomic {
           if
           :: ownerWord == LENT(t + 1) -> ownerWord = ADOPTED(t + 1); adopted[t] = true
           :: else
           fi
         };
#endif
endClose: closing[t] || clientGone;
         if
         :: adopted[t] -> atomic { adopted[t] = false; closeSocket(t) } /* port.close, reaped */
         :: else
         fi;
         released[t] = true
      :: else -> break
      fi
    }
  } unless { ioEnds };
  /* CompletionPort::Shutdown closes what the port has. */
  atomic {
    t = 0;
    do
    :: t < TENANTS -> if :: adopted[t] -> adopted[t] = false; closeSocket(t) :: else fi; t++
    :: else -> break
    od
  };
  ioGone = true
}

/* Either thread may be terminated, at any moment. */
proctype Fate() {
  if
  :: clientEnds = true
  :: ioEnds = true; if :: clientEnds = true :: true fi
  :: true
  fi
}

proctype Quiescence() {
  byte t;
  timeout;
  for (t : 0 .. TENANTS - 1) { assert(closes[t] == made[t]) }
}

init {
  atomic { run Client(); run IoThread(); run Fate(); run Quiescence() }
}
