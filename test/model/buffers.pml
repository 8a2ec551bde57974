/*
 * The hand-over of buffers between client, I/O thread and kernel, and the end of their memory: no buffer has two owners, none
 * is given back twice or lost, and the kernel touches no memory that was let go. Models the edges drawn in
 * src/protocol/buffer-name.ts as they are coded in src/worker/buffers/receive-pool.ts (filled, recycle), src/worker/clients/session.ts
 * (sent, drain, removeSource), send-buffers.ts, src/worker/sources/tcp-stream.ts and stream-sending.ts (send, flush, close, completed),
 * src/worker/loop/selector.ts (retire, releaseRetired) and src/client/sources/stream-source.ts, send-pool.ts.
 *
 * Abstractions, and why they are sound:
 * - Rings are channels: ring.pml shows that they are. Nobody sleeps: io-sleep.pml and doorbell.pml show that all wake.
 * - The kernel is a process of its own, as with io_uring or IOCP: it fills a buffer of the group or reads a send at any time
 *   while the operation is in flight, also after its cancellation was asked for. A readiness kernel does less.
 * - One connected stream, always armed: what arms it anew moves no buffer. A turn takes any number of the records that the
 *   selector has written, which is what an overflowing array comes to.
 * - The client dies, or not, after any step; then the I/O thread takes what it had published and drains the session.
 *   Lingering may run out at any time.
 * - A corrupt client sends one entry that names a buffer it does not have, and ends.
 *
 * Every buffer's owner is a ghost. Each hand-over asserts who has the buffer, so a second owner fails at once.
 *
 * CHECK receiving: -DMESSAGES=3 -DSENDS=0 -DCORRUPT=false
 * CHECK sending:   -DMESSAGES=0 -DSENDS=3 -DCORRUPT=false
 * CHECK both:      -DMESSAGES=2 -DSENDS=1 -DCORRUPT=false
 * CHECK corrupt:   -DMESSAGES=2 -DSENDS=1 -DCORRUPT=true
 */
#define BUFFERS 2 /* of each kind: receive buffers 0 and 1, send buffers 2 and 3 */
#define NONE 9

mtype = {
  RECYCLE, SEND, CLOSE, ABORT,                 /* submissions */
  DATA, SENT, RELEASED,                        /* events */
  PROVIDE, RECORD_SEND, CANCEL, RECORD_CLOSE,  /* records for the port */
  FILLED, SEND_DONE, RECEIVE_DONE, CLOSED      /* completions */
};
mtype = { POOL, KERNEL, SELECTOR, CLIENT, UNDER_WAY };

chan submissions = [6] of { mtype, byte };
chan events = [6] of { mtype, byte };
chan records = [7] of { mtype, byte };
chan completions = [6] of { mtype, byte };

/* Ghosts. POOL: the port's group of receive buffers, or the client's pool of send buffers. */
mtype owner[4] = POOL;
bool memory = true;   /* the port's references hold */

#define HANDS_OVER(b, from, to) assert(owner[b] == from); owner[b] = to

bool killed, clientEnded;

/* -- the port and its kernel -------------------------------------------------------------------- */

bool inGroup[2] = true;
bool receiving = true, cancelled, closeAsked, portClosed;
byte sending = NONE;

proctype Kernel() {
  byte messages, filling = NONE;
end: do
  :: receiving && messages < MESSAGES && filling == NONE && (inGroup[0] || inGroup[1]) ->
     atomic {
       if
       :: inGroup[0] -> filling = 0
       :: inGroup[1] -> filling = 1
       fi;
       inGroup[filling] = false;
       HANDS_OVER(filling, POOL, KERNEL);
       messages++
     }
  :: filling != NONE ->
     atomic {
       assert(memory); /* the kernel writes */
       HANDS_OVER(filling, KERNEL, UNDER_WAY);
       completions!FILLED, filling;
       filling = NONE
     }
  :: atomic { receiving && cancelled && filling == NONE -> receiving = false; completions!RECEIVE_DONE, NONE }
  :: atomic { sending != NONE ->
       assert(memory && owner[sending] == KERNEL); /* the kernel reads */
       completions!SEND_DONE, sending;
       owner[sending] = UNDER_WAY;
       sending = NONE
     }
#ifdef MUTATE_CLOSE_BEFORE_REAPING /* completion_port.h kClose: its release does not wait for the others */
  :: atomic { closeAsked && !portClosed -> portClosed = true; completions!CLOSED, NONE }
#else
  :: atomic { closeAsked && !portClosed && !receiving && sending == NONE -> portClosed = true; completions!CLOSED, NONE }
#endif
  od
}

/* -- the I/O thread ----------------------------------------------------------------------------- */

mtype = { ESTABLISHED, FLUSHING, CLOSING, GONE };

inline push(kind, b) {
  if
  :: draining
  :: else -> events!kind, b
  fi
}

/* ReceivePool.recycle; also for what is read after the close. */
inline takeHome(b) {
  held[b] = false;
  HANDS_OVER(b, UNDER_WAY, SELECTOR);
  records!PROVIDE, b
}

/* Session.sent */
inline giveBack(b) {
  sends[b - 2] = false;
  if
  :: owner[b] == SELECTOR -> owner[b] = UNDER_WAY
  :: else -> assert(owner[b] == UNDER_WAY)
  fi;
  push(SENT, b)
}

inline flush() {
  if
  :: inFlight == NONE && len(unsent) > 0 && (state == ESTABLISHED || state == FLUSHING) ->
     unsent?inFlight;
     records!RECORD_SEND, inFlight
#ifdef MUTATE_SENT_WHEN_SUBMITTED /* stream-sending.ts flush: gives the buffer back with the submission */
     ;
     sends[inFlight - 2] = false;
     push(SENT, inFlight)
#endif
  :: else
  fi
}

inline submitClose() {
  state = CLOSING;
  records!RECORD_CLOSE, NONE
}

inline sendingIdle() {
  if
  :: state == FLUSHING && inFlight == NONE && len(unsent) == 0 -> submitClose()
  :: else
  fi
}

inline closeStream(reset) {
  if
  :: reset && (state == ESTABLISHED || state == FLUSHING) ->
#ifndef MUTATE_KEEP_UNSENT /* tcp-stream.ts close: RESET without #giveBack of what is unsent */
     do
     :: len(unsent) > 0 -> unsent?b; giveBack(b)
     :: else -> break
     od;
#endif
     submitClose()
  :: !reset && state == ESTABLISHED ->
     state = FLUSHING;
     records!CANCEL, NONE;
     flush();
     sendingIdle()
  :: else
  fi
}

/* Session.drain and #endIfDrained. */
inline drain(reset) {
  if
  :: !draining ->
     draining = true;
     closeStream(reset);
#ifdef MUTATE_RELEASE_WHILE_DRAINING /* session.ts #endIfDrained: without the look at sourceCount */
     retired = true
#else
     if
     :: state == GONE -> retired = true
     :: else
     fi
#endif
  :: else
  fi
}

/* act: one submission. */
inline act() {
  if
  :: op == RECYCLE ->
     if
#ifndef MUTATE_BELIEVE_RECYCLE /* receive-pool.ts recycle: without the look whether the client has it */
     :: !held[b] -> drain(true)
#endif
     :: else -> takeHome(b)
     fi
  :: op == SEND ->
     if
#ifndef MUTATE_BELIEVE_SEND /* send-buffers.ts take: without the look whether the I/O thread has it already */
     :: sends[b - 2] -> drain(true)
#endif
     :: else ->
        sends[b - 2] = true;
        HANDS_OVER(b, UNDER_WAY, SELECTOR);
        if
        :: state == ESTABLISHED -> unsent!b; flush()
        :: else -> giveBack(b) /* stale */
        fi
     fi
  :: op == CLOSE -> closeStream(false)
  :: op == ABORT -> closeStream(true)
  fi
}

proctype IoThread() {
  mtype state = ESTABLISHED, op;
  bool draining, retired, seenDead;
  bool held[2], sends[2];
  byte inFlight = NONE, b;
  chan unsent = [3] of { byte };

end: do
  /* takeSubmissions */
  :: atomic { !draining && nempty(submissions) -> submissions?op, b; act(); b = 0; op = 0 }
  /* Control.#clientEnded: everything it had published is taken first. */
  :: atomic { clientEnded && !seenDead && (draining || empty(submissions)) -> seenDead = true; drain(false) }
  /* Linger.expire */
  :: atomic { state == FLUSHING -> closeStream(true); b = 0 }
  /* Turn: one record. */
  :: atomic { nempty(records) ->
       records?op, b;
       assert(memory); /* it names the client's segments */
       if
       :: op == PROVIDE -> HANDS_OVER(b, SELECTOR, POOL); inGroup[b] = true
       :: op == RECORD_SEND -> assert(sending == NONE); HANDS_OVER(b, SELECTOR, KERNEL); sending = b
       :: op == CANCEL -> cancelled = true
       :: op == RECORD_CLOSE -> cancelled = true; closeAsked = true
       fi;
       b = 0; op = 0
     }
  /* dispatch: one completion. */
  :: atomic { nempty(completions) ->
       completions?op, b;
       if
       :: op == FILLED ->
          held[b] = true;
          if
          :: state == ESTABLISHED -> push(DATA, b)
#ifdef MUTATE_KEEP_LATE_DATA /* stream-receiving.ts completed: what comes after the close does not go home */
          :: else
#else
          :: else -> takeHome(b)
#endif
          fi
       :: op == SEND_DONE ->
          inFlight = NONE;
          giveBack(b);
          flush();
          sendingIdle()
       :: op == RECEIVE_DONE
       :: op == CLOSED ->
          state = GONE;
          push(RELEASED, NONE);
          if
          :: draining -> retired = true
          :: else
          fi
       fi;
       b = 0; op = 0
     }
  /* Selector.releaseRetired */
#ifdef MUTATE_RELEASE_BEFORE_RECORDS /* selector.ts releaseRetired: without the look at hasSubmissions */
  :: atomic { retired && memory -> memory = false }
#else
  :: atomic { retired && memory && empty(records) -> memory = false }
#endif
  od
}

/* -- the client --------------------------------------------------------------------------------- */

bool closed, released;

inline recycle(b) {
  atomic { HANDS_OVER(b, CLIENT, UNDER_WAY); submissions!RECYCLE, b }
}

proctype Client() {
  mtype kind;
  bool unread[2];
  byte b, sent;
  {
end: do
    /* Client.drain: one event. */
    :: atomic { nempty(events) ->
         events?kind, b;
         if
         :: kind == DATA ->
            HANDS_OVER(b, UNDER_WAY, CLIENT);
            if
            :: !closed -> unread[b] = true
#ifdef MUTATE_KEEP_DATA_OF_CLOSED /* stream-events.ts data: without the recycling when closed */
            :: else
#else
            :: else -> recycle(b)
#endif
            fi
         :: kind == SENT -> HANDS_OVER(b, UNDER_WAY, POOL)
         :: kind == RELEASED -> released = true
         fi;
         b = 0; kind = 0
       }
    /* read, to the buffer's end */
    :: unread[0] ->
#ifdef MUTATE_RECYCLE_BEFORE_READING /* received-data.ts read: recycle before the bytes are copied */
       recycle(0); assert(owner[0] == CLIENT); unread[0] = false
#else
       assert(owner[0] == CLIENT); atomic { recycle(0); unread[0] = false }
#endif
    :: unread[1] -> assert(owner[1] == CLIENT); atomic { recycle(1); unread[1] = false }
    /* write: SendPool.fill, SEND */
    :: atomic { !closed && sent < SENDS && owner[2] == POOL -> sent++; owner[2] = CLIENT };
       assert(owner[2] == CLIENT);
       atomic { HANDS_OVER(2, CLIENT, UNDER_WAY); submissions!SEND, 2 }
    :: atomic { !closed && sent < SENDS && owner[3] == POOL -> sent++; owner[3] = CLIENT };
       assert(owner[3] == CLIENT);
       atomic { HANDS_OVER(3, CLIENT, UNDER_WAY); submissions!SEND, 3 }
    /* close or abort; the unread goes home first */
    :: !closed ->
       atomic {
         closed = true;
#ifndef MUTATE_KEEP_UNREAD /* stream-source.ts ending: without the recycling of what was not read */
         if :: unread[0] -> recycle(0) :: else fi;
         if :: unread[1] -> recycle(1) :: else fi;
#endif
         unread[0] = false; unread[1] = false
       };
       if
       :: submissions!CLOSE, NONE
       :: submissions!ABORT, NONE
       fi
    /* Nonsense; what the client itself makes of its buffers is of no interest any more. */
    :: atomic { CORRUPT && owner[0] != CLIENT -> submissions!RECYCLE, 0 }; break
    :: atomic { CORRUPT && (owner[2] == SELECTOR || owner[2] == KERNEL) -> submissions!SEND, 2 }; break
    od
  } unless { killed };
  clientEnded = true
}

proctype Fate() {
  if
  :: killed = true
  :: true
  fi
}

/* When nothing moves any more. */
proctype Quiescence() {
  byte b;
  timeout;
  if
  :: clientEnded -> assert(!memory)   /* all was let go */
  :: else ->
     assert(released && memory);
     for (b : 0 .. 3) { assert(owner[b] == POOL) }
  fi
}

init {
  atomic { run Kernel(); run IoThread(); run Client(); run Fate(); run Quiescence() }
}
