/** One thread of the pool: accepts connections and echoes, until its Poll is interrupted. */
import { type MessagePort, threadId } from 'node:worker_threads';
import { Events, Interest, IoThread, Poll, type SharedIoThread, TcpListener, type TcpStream } from 'sideport';

export interface EchoTask {
  readonly ioThread: SharedIoThread;
  readonly port: number;
  /** Gets the name of this thread's Poll once it accepts. */
  readonly ready: MessagePort;
}

export interface Served {
  readonly threadId: number;
  readonly connections: number;
  readonly messages: number;
}

const LISTENER = 0;

export default async function serve({ ioThread, port, ready }: EchoTask): Promise<Served> {
  using poll = new Poll({ ioThread: IoThread.from(ioThread) });
  using listener = TcpListener.bind({ host: '127.0.0.1', port, reusePort: true });
  poll.registry.register(listener, LISTENER, Interest.READABLE);
  ready.postMessage(poll.share());

  const streams = new Map<number, TcpStream>();
  const events = new Events();
  let [connections, messages] = [0, 0];
  do {
    await poll.wait(events);
    for (const { token } of events) {
      if (token === LISTENER) acceptAll();
      else echo(token, streams.get(token) as TcpStream);
    }
  } while (!events.interrupted);
  for (const stream of streams.values()) stream.close();
  ready.close();
  return { threadId, connections, messages };

  function acceptAll(): void {
    for (let accepted = listener.accept(); accepted; accepted = listener.accept()) {
      connections++;
      streams.set(connections, accepted.stream);
      poll.registry.register(accepted.stream, connections, Interest.READABLE);
    }
  }

  function echo(token: number, stream: TcpStream): void {
    for (;;) {
      using lease = stream.take();
      if (!lease) return;
      if (lease.length === 0) {
        stream.close();
        streams.delete(token);
        return;
      }
      // These messages are small and one is in flight per connection, so there is always room; a server for
      // others would keep what write() does not take, and wait for WRITABLE.
      if (stream.write(lease.bytes) !== lease.length) throw new Error('no room for an echo');
      messages++;
    }
  }
}
