/*
 * The wish for buffers: a stream that waits for a receive buffer gets one although recycling alone wakes nobody. Models
 * wishForBuffers and wantsBuffers of src/atomics/flag.ts as they are used by src/worker/buffers/receive-pool.ts (starve, #wish,
 * recycle) and src/client/link/client.ts (recycle), together with the I/O thread's sleep protocol.
 *
 * Abstractions, and why they are sound:
 * - One stream, BUFFERS buffers: with one stream "paused at its quota" and "starved" are one case, and both wish alike.
 * - The client takes DATA without sleeping (doorbell.pml has its sleep) and gives buffers back at any later moment.
 * - The peer has sent MESSAGES already, so the stream never waits for the network, only for buffers.
 * - The kernel's wait has no time-out: the source's 100 ms slice would hide a lost wake.
 *
 * With one buffer nothing but its own RECYCLE can help a stream; with two there are several under way.
 *
 * CHECK one: -DBUFFERS=1 -DMESSAGES=3
 * CHECK two: -DBUFFERS=2 -DMESSAGES=4
 */

#define AWAKE 0
#define ASLEEP 1

bit sleepWord = AWAKE;
bool wish;          /* Header.BUFFERS_WANTED */
byte recycled;      /* the submission ring's tail: RECYCLE entries published */
byte published;     /* the event ring's tail: DATA entries published */
bool woken;         /* the awakener */

byte taken;         /* the submission ring's head */
byte unread = MESSAGES;
byte pool = BUFFERS;
bool starved;

proctype Client() {
  byte received, given;
  bool claimed, wanted;
end: do
  :: received < published -> received++
  :: given < received ->
     given++;
     /* Client.recycle */
#ifdef MUTATE_WISH_LOADED_BEFORE_PUBLISHING /* client.ts recycle: wantsBuffers before #submissions.publish */
     wanted = wish;
     recycled++;
#else
     recycled++;
#ifndef MUTATE_NEVER_LOOK_AT_THE_WISH /* client.ts recycle: publishes and leaves it at that */
     wanted = wish;
#endif
#endif
     if
     :: wanted -> /* flush: claimWake, wake */
        wanted = false;
        atomic { if :: sleepWord == ASLEEP -> sleepWord = AWAKE; claimed = true :: else fi };
        if
        :: claimed -> claimed = false; woken = true
        :: else
        fi
     :: else
     fi
  od
}

inline arm() {
  do
  :: unread > 0 && pool > 0 -> atomic { unread--; pool--; starved = false; published++ }
  :: else -> break
  od;
  if
  :: unread > 0 ->
     starved = true;
#ifdef MUTATE_NO_WISH /* receive-pool.ts starve: without #wish */
     skip
#else
     wish = true
#endif
  :: else ->
     starved = false;
#ifndef MUTATE_NEVER_WITHDRAW /* receive-pool.ts #feed: without #wish */
     wish = false
#endif
  fi
}

proctype IoThread() {
  byte count;
  bool news, begun;
  do
  :: true ->
     count = recycled - taken;
     if
     :: count > 0 || !begun ->
        begun = true;
        atomic { taken = taken + count; pool = pool + count; count = 0 };
        arm()
     :: else ->
#ifdef MUTATE_LOOK_BEFORE_RAISE /* turn-loop.ts #sleep: hasSubmissions before raiseAsleep */
        news = (recycled != taken);
        sleepWord = ASLEEP;
#else
        sleepWord = ASLEEP;
#ifndef MUTATE_SLEEP_WITHOUT_LOOK /* turn-loop.ts #sleep: without hasSubmissions, the wish having been raised late */
        news = (recycled != taken);
#endif
#endif
        if
        :: news -> news = false
        :: else ->
end_asleep: atomic { woken -> woken = false }
        fi;
        sleepWord = AWAKE
     fi
  od
}

/* When nothing moves any more every message was delivered, although the buffers do not suffice for all at once. */
proctype Quiescence() {
  timeout;
  assert(published == MESSAGES);
  assert(!starved && !wish)
}

init {
  atomic { run IoThread(); run Client(); run Quiescence() }
}
