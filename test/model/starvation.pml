/*
 * A receive buffer that is free is never withheld from a stream that has something to receive. Models offer, unstarve,
 * recycle and #feed of src/worker/buffers/receive-pool.ts and starving.ts with arm, close and #received of src/worker/sources/tcp-stream.ts,
 * and StepReceive of native/readiness/readiness_operations.cc. What tells the I/O thread of a RECYCLE is in buffers-wish.pml.
 *
 * Abstractions, and why they are sound:
 * - Selector and port are one thread and so one process. A turn has three phases: submissions, port, dispatch. PROVIDE
 *   records precede the RECEIVE records of the same turn, so the port's group begins it with all that the selector counts
 *   as free.
 * - One group, which cannot grow: a reserve, or another segment, only adds buffers that a stream may be offered.
 * - Each stream gets at most one message, at any moment or never, and its quota is one buffer.
 * - The client gives back what it holds at any later moment. A stream may be closed at any moment; what a completion
 *   kernel had filled by then is still dispatched.
 */
#define STREAMS 3
#define BUFFERS 1

#define RUNNABLE(s) (inFlight[s] && data[s])

bool data[STREAMS];       /* the descriptor is readable */
bool closed[STREAMS];     /* CLOSE is taken */
bool reading[STREAMS];    /* the reader has a buffer of this stream */
bool recycled[STREAMS];   /* RECYCLE for it is published */

/* ReceivePool and TcpStream. */
byte free = BUFFERS;
bool armed[STREAMS], waits[STREAMS];
chan starved = [STREAMS] of { byte };

/* The port. */
byte group;
bool inFlight[STREAMS];
chan completions = [STREAMS] of { byte, bool }; /* stream; filled, or ENOBUFS */

mtype = { SUBMISSIONS, PORT, DISPATCH };
mtype phase = SUBMISSIONS;

/* TcpStream.arm */
inline arm(s) {
  if
  :: !closed[s] && !armed[s] && !reading[s] && !recycled[s] ->
     if
     :: free > 0 -> armed[s] = true; inFlight[s] = true
     :: free == 0 && !waits[s] -> waits[s] = true; starved!s
     :: else
     fi
  :: else
  fi
}

/* ReceivePool.#feed */
inline feed() {
  left = free;
  do
#ifdef MUTATE_FEED_AS_MANY_AS_BUFFERS /* starving.ts take: one waiting stream per free buffer, though some have nothing to receive */
  :: left > 0 && nempty(starved) ->
#else
  :: free > 0 && nempty(starved) ->
#endif
     left--;
     starved?w;
     waits[w] = false;
     arm(w)
  :: else -> break
  od;
  left = 0; w = 0
}

/* ReceivePool.recycle */
inline takeHome() {
  free++;
#ifndef MUTATE_NO_FEED /* receive-pool.ts recycle: without #feed */
  feed()
#endif
}

inline dispatch() {
  completions?s, filled;
  armed[s] = false;
  if
  :: filled ->
     free--;
     if
     :: !closed[s] -> reading[s] = true
     :: else -> takeHome()
     fi
  :: !filled && closed[s]
  :: else ->
#ifdef MUTATE_STARVE_ALTHOUGH_FREE /* tcp-stream.ts #received: after ENOBUFS waits for the next RECYCLE, although a buffer came home */
     waits[s] = true; starved!s
#else
     arm(s)
#endif
  fi
}

proctype IoThread() {
  byte s, w, left;
  bool filled;
  atomic { for (s : 0 .. STREAMS - 1) { arm(s) } }
end:
  do
  :: atomic { phase == SUBMISSIONS && (recycled[0] || recycled[1] || recycled[2]) ->
       if
       :: recycled[0] -> s = 0
       :: recycled[1] -> s = 1
       :: recycled[2] -> s = 2
       fi;
       recycled[s] = false;
       takeHome();
       arm(s);
       s = 0
     }
  :: atomic { phase == SUBMISSIONS && (RUNNABLE(0) || RUNNABLE(1) || RUNNABLE(2)) -> group = free; phase = PORT }
  /* Whoever can be read, in any order, and not necessarily all. */
  :: atomic { phase == PORT && (RUNNABLE(0) || RUNNABLE(1) || RUNNABLE(2)) ->
       if
       :: RUNNABLE(0) -> s = 0
       :: RUNNABLE(1) -> s = 1
       :: RUNNABLE(2) -> s = 2
       fi;
       inFlight[s] = false;
       if
       :: group > 0 -> group--; data[s] = false; completions!s, true
       :: else -> completions!s, false
       fi;
       s = 0
     }
  :: atomic { phase == PORT && (nempty(completions) || !(RUNNABLE(0) || RUNNABLE(1) || RUNNABLE(2))) ->
       group = 0; phase = DISPATCH
     }
  :: atomic { phase == DISPATCH && nempty(completions) -> dispatch(); s = 0; filled = false }
  :: atomic { phase == DISPATCH && empty(completions) -> phase = SUBMISSIONS }
  od
}

/* TcpStream.close, at any moment; runs on the I/O thread, hence atomically. */
proctype Closer(byte s) {
  if
  :: atomic {
       closed[s] = true;
       if
       :: waits[s] -> waits[s] = false; starved??eval(s)
       :: else
       fi;
       if
       :: inFlight[s] -> inFlight[s] = false; armed[s] = false
       :: else
       fi
     }
  :: true
  fi
}

proctype Network(byte s) {
  if
  :: data[s] = true
  :: true
  fi
}

proctype Client(byte s) {
end: do
  :: atomic { reading[s] -> reading[s] = false; recycled[s] = true }
  od
}

/* When nothing moves any more nobody who is open has anything left to receive, and every buffer is free. */
proctype Quiescence() {
  byte s;
  timeout;
  assert(free == BUFFERS);
  for (s : 0 .. STREAMS - 1) { assert(closed[s] || !data[s]) }
}

init {
  byte s;
  atomic {
    run IoThread();
    for (s : 0 .. STREAMS - 1) { run Network(s); run Client(s); run Closer(s) }
    run Quiescence()
  }
}
