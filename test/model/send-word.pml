/*
 * The word of a send buffer: bytes that a client appends while the I/O thread takes the buffer are neither lost nor sent twice,
 * torn or out of order. Models src/atomics/send-word.ts as it is used by src/client/buffers/send-queue.ts (write, #append, sent) and
 * src/worker/sources/tcp-stream.ts (flush).
 *
 * Weak memory, as in ring.pml: the bytes are plain stores and go through a store buffer, one cell per place, that is emptied in
 * any order; a SeqCst store or swap that succeeds comes after them. The I/O thread's OR keeps its reads behind it.
 *
 * Abstractions, and why they are sound:
 * - Every write has one byte, and byte n has the value n: a longer one only appends more with the same swap.
 * - One stream; its buffers travel in channels (ring.pml) and are lent back and forth (buffers.pml).
 */
#define BYTES 6
#define BUFFERS 2
#define SIZE 3

#define CLOSED 8
#define LENGTH(word) ((word) % CLOSED)

#define PLACE(b, at) ((b) * SIZE + (at))
#define PLACES 6 /* BUFFERS * SIZE */

byte word[BUFFERS];
byte bytes[PLACES], pending[PLACES]; /* memory, and the client's store buffer: 0 is empty */
chan sends = [BUFFERS] of { byte };
chan sent = [BUFFERS] of { byte };

#define FLUSHED (pending[0] == 0 && pending[1] == 0 && pending[2] == 0 && pending[3] == 0 && pending[4] == 0 && pending[5] == 0)

proctype StoreBuffer() {
end: do
  :: atomic { pending[0] != 0 -> bytes[0] = pending[0]; pending[0] = 0 }
  :: atomic { pending[1] != 0 -> bytes[1] = pending[1]; pending[1] = 0 }
  :: atomic { pending[2] != 0 -> bytes[2] = pending[2]; pending[2] = 0 }
  :: atomic { pending[3] != 0 -> bytes[3] = pending[3]; pending[3] = 0 }
  :: atomic { pending[4] != 0 -> bytes[4] = pending[4]; pending[4] = 0 }
  :: atomic { pending[5] != 0 -> bytes[5] = pending[5]; pending[5] = 0 }
  od
}

proctype Client() {
  byte n, b, last, length, inFlight;
  bool free[BUFFERS] = true, appended;
  for (n : 1 .. BYTES) {
    /* drain, at any time */
    do
    :: atomic { nempty(sent) -> sent?b; free[b] = true; inFlight--; b = 0 }
    :: true -> break
    od;
    /* SendQueue.#append */
    appended = false;
    if
    :: inFlight > 0 && length < SIZE ->
#ifdef MUTATE_SWAP_BEFORE_BYTES /* send-pool.ts append: the swap before the bytes are written */
       atomic { if :: word[last] == length -> word[last] = length + 1; appended = true :: else fi };
       pending[PLACE(last, length)] = n;
#else
       pending[PLACE(last, length)] = n;
#ifdef MUTATE_APPEND_BLINDLY /* send-word.ts appendToSendBuffer: a store for the compare-and-swap */
       atomic { FLUSHED; word[last] = length + 1; appended = true };
#else
#ifdef MUTATE_PLAIN_SWAP /* send-word.ts appendToSendBuffer: the length may become visible before the bytes */
       atomic { if :: word[last] == length -> word[last] = length + 1; appended = true :: else fi };
#else
       atomic { FLUSHED; if :: word[last] == length -> word[last] = length + 1; appended = true :: else fi };
#endif
#endif
#endif
       if
       :: appended -> length++
       :: else
       fi
    :: else
    fi;
    if
    :: appended
    :: else ->
       /* SendPool.fill, beginSendBuffer, SEND; while there is no buffer, WRITABLE is awaited. */
       do
       :: free[0] -> last = 0; break
       :: free[1] -> last = 1; break
       :: atomic { !free[0] && !free[1] -> sent?b; free[b] = true; inFlight--; b = 0 }
       od;
       free[last] = false;
       pending[PLACE(last, 0)] = n;
       length = 1;
#ifndef MUTATE_BEGIN_WITHOUT_WORD /* send-word.ts beginSendBuffer: the word of the buffer's last use stays */
       atomic { FLUSHED; word[last] = 1 };
#endif
       atomic { FLUSHED; sends!last; inFlight++ }
    fi
  }
}

byte next = 1; /* the byte that the peer expects */

proctype IoThread() {
  byte b, at, length;
end: do
  :: sends?b ->
     /* TcpStream.flush: closeSendBuffer */
#ifdef MUTATE_CLOSE_IN_TWO_STEPS /* send-word.ts closeSendBuffer: a load, and CLOSED afterwards */
     length = LENGTH(word[b]);
     word[b] = word[b] + CLOSED;
#else
#ifdef MUTATE_NEVER_CLOSED /* send-word.ts closeSendBuffer: a load, without CLOSED */
     length = LENGTH(word[b]);
#else
     atomic { length = LENGTH(word[b]); word[b] = length + CLOSED };
#endif
#endif
     at = 0;
     do
     :: at < length ->
        assert(bytes[PLACE(b, at)] == next);
        atomic { next++; at++ }
     :: else -> break
     od;
     atomic { at = 0; length = 0; sent!b; b = 0 }
  od
}

/* When nothing moves any more every byte that was taken was sent. */
proctype Quiescence() {
  timeout;
  assert(next == BYTES + 1)
}

init {
  atomic { run StoreBuffer(); run Client(); run IoThread(); run Quiescence() }
}
