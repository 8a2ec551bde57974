/**
 * A peer that reads nothing until the end, and then tells a reset from an end. `node:net` does not: with unread data libuv
 * takes the hang-up of a reset connection for its end.
 */
import type { ExecutionContext } from 'ava';
import { Events, Interest, IoThread, Poll, type SystemError, type TcpListener } from '../../src/index.js';
import { listen } from '../util/streams.js';

export class SilentPeer {
  readonly #ioThread = IoThread.start();
  readonly #poll = new Poll({ ioThread: this.#ioThread });
  readonly #listener: TcpListener = listen();

  /** Closed with the test. */
  constructor(t: ExecutionContext) {
    t.teardown(() => {
      this.#listener.close();
      return this.#ioThread.close();
    });
    this.#poll.registry.register(this.#listener, 1, Interest.READABLE);
  }

  get port(): number {
    return this.#listener.localAddress().port;
  }

  /** Reads what the kernel has; returns its length and how the connection ended: `'end'`, or the error's code. */
  async receive(): Promise<{ length: number; how: string }> {
    const events = new Events(1);
    await this.#poll.wait(events);
    const accepted = this.#listener.accept();
    if (!accepted) throw new Error('readable, and nothing to accept');
    // An accepted stream receives from its registration on.
    this.#poll.registry.register(accepted.stream, 2, Interest.READABLE);
    const into = Buffer.alloc(65_536);
    let length = 0;
    try {
      for (let count: number | null = null; count !== 0; count = accepted.stream.read(into)) {
        if (count === null) await this.#poll.wait(events);
        else length += count;
      }
      return { length, how: 'end' };
    } catch (error) {
      return { length, how: (error as SystemError).code };
    } finally {
      accepted.stream.close();
    }
  }
}
