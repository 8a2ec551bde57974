/** Named pipes for tests: names, both ends connected and registered, clients that are patient. */
import {
  Events,
  NamedPipe,
  type NamedPipeOptions,
  type PipeMode,
  type Poll,
  type SystemError,
} from '../../src/index.js';
import { expectEvents } from './expect-events.js';
import { onWindows, unless } from './platform.js';
import { BOTH } from './streams.js';

export const windows = unless(!onWindows, 'only Windows has named pipes');

let names = 0;
export const newName = () => `\\\\.\\pipe\\sideport-test-${process.pid}-${names++}`;

/** The tokens of the ends. */
export const SERVER = 1;
export const CLIENT = 2;

/** Both ends of a pipe on one Poll, connected. */
export function pair(
  poll: Poll,
  options: NamedPipeOptions = {},
): { name: string; server: NamedPipe; client: NamedPipe } {
  const name = newName();
  const server = NamedPipe.create(name, options);
  poll.registry.register(server, SERVER, BOTH);
  return { name, server, client: join(poll, name, options) };
}

/** A client for the instance that waits, or is about to; both are told. */
export function join(poll: Poll, name: string, { mode }: NamedPipeOptions = {}): NamedPipe {
  const client = connectSoon(poll, name, mode ? { mode } : {});
  poll.registry.register(client, CLIENT, BOTH);
  expectEvents(poll, { token: SERVER, writable: true }, { token: CLIENT, writable: true });
  return client;
}

/** A client for an instance that the I/O thread has not had wait yet, perhaps. What is told meanwhile is dropped. */
export function connectSoon(poll: Poll, name: string, options: { mode?: PipeMode } = {}): NamedPipe {
  const events = new Events();
  for (const untilMs = performance.now() + 10_000; ; ) {
    try {
      return NamedPipe.connect(name, options);
    } catch (error) {
      if ((error as SystemError).code !== 'EBUSY' || performance.now() > untilMs) throw error;
      poll.poll(events, 5);
    }
  }
}

/** The next message, or part of one. */
export function readMessage(poll: Poll, pipe: NamedPipe, into: Uint8Array): Buffer {
  const events = new Events();
  for (;;) {
    const count = pipe.read(into);
    if (count !== null) return Buffer.from(into.subarray(0, count));
    if (poll.poll(events, 10_000) === 0) throw new Error('no message came');
  }
}
