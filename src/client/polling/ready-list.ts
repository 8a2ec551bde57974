/**
 * A Poll's ready list: registrations with something to deliver, first come, first served. Linked through the
 * registrations themselves, so queueing allocates nothing.
 */
import type { Events } from './events.js';
import type { ReadyList, Registration } from './registration.js';

export class ReadyQueue implements ReadyList {
  newest: Registration | undefined;
  #head: Registration | undefined;
  #tail: Registration | undefined;
  #length = 0;

  get isEmpty(): boolean {
    return this.#head === undefined;
  }

  enqueue(registration: Registration): void {
    if (this.#tail) this.#tail.next = registration;
    else this.#head = registration;
    this.#tail = registration;
    this.#length++;
  }

  /**
   * Moves what is ready into `events`, up to its capacity. Each registration is asked once, in order; one that
   * queues itself again (level) goes to the tail, so with any capacity all have their turn.
   */
  deliver(events: Events): void {
    for (let turns = this.#length; turns > 0 && events.length < events.capacity; turns--) {
      const registration = this.#dequeue();
      const ready = registration.deliver();
      if (ready !== 0) events.add(registration.token, ready);
    }
  }

  #dequeue(): Registration {
    const registration = this.#head as Registration;
    this.#head = registration.next;
    if (this.#head === undefined) this.#tail = undefined;
    registration.next = undefined;
    this.#length--;
    return registration;
  }
}
