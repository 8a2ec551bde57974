/**
 * A heartbeat, and a deadline. The I/O thread keeps the time: a thread that was busy finds out how many beats it has missed.
 *
 *     node dist/examples/timer/main.js
 */
import { Events, Interest, Poll, Timer } from 'sideport';

const BEAT = 0;
const DEADLINE = 1;

using poll = new Poll();
using beat = Timer.every(20);
using deadline = Timer.after(200);
poll.registry.register(beat, BEAT, Interest.READABLE);
poll.registry.register(deadline, DEADLINE, Interest.READABLE);

let beats = 0;
let wakes = 0;
const events = new Events();
for (let over = false; !over; ) {
  poll.poll(events);
  for (const event of events) {
    if (event.token === DEADLINE) over = true;
    if (event.token !== BEAT) continue;
    beats += beat.read() ?? 0;
    wakes++;
    // Busy for two beats and a half.
    const untilMs = performance.now() + 50;
    while (performance.now() < untilMs);
  }
}
console.log(`${beats} beats heard in ${wakes} wakes, then the deadline`);
