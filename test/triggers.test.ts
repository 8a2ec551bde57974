/** Edge, level and oneshot mean the same on every source. */
import test from 'ava';
import {
  type CustomSource,
  channel,
  Events,
  Interest,
  Poll,
  PollOpt,
  Ready,
  Registration,
  type Registry,
  type StreamObject,
  TcpListener,
  TcpStream,
  Timer,
  UdpSocket,
  UnixDatagram,
  UnixListener,
  UnixStream,
} from '../src/index.js';
import { endpointOf } from './util/datagrams.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { listen, Pair } from './util/streams.js';

const ioThread = ioThreadFor(test);
const { READABLE } = Interest;
const { EDGE, LEVEL, ONESHOT } = PollOpt;

/** A source, what makes it readable, and what reads it empty. */
interface Subject {
  readonly source: Parameters<Registry['register']>[0];
  /** Makes it readable once more; it may take its time. */
  feed(): void;
  /** Reads everything that is there. True if there was something. */
  drain(): boolean;
  close(): void;
}

const into = Buffer.alloc(4096);

function drainAll(read: () => unknown): boolean {
  let any = false;
  while (read() !== null) any = true;
  return any;
}

function abortOne(accepted: { readonly stream: StreamObject } | null): true | null {
  accepted?.stream.abort();
  return accepted && true;
}

function abstractName(kind: string): string {
  return `\0sideport-triggers-${process.pid}-${process.hrtime.bigint()}-${kind}`;
}

const unix = process.platform === 'linux';

const makers: Record<string, () => Subject> = {
  TcpStream: () => {
    const pair = new Pair(ioThread);
    pair.poll.registry.deregister(pair.server);
    return {
      source: pair.server,
      feed: () => void pair.client.write(Buffer.from('x')),
      drain: () => drainAll(() => pair.server.read(into)),
      close: () => pair[Symbol.dispose](),
    };
  },
  TcpListener: () => {
    const listener = listen();
    const clients: TcpStream[] = [];
    const poll = new Poll({ ioThread });
    return {
      source: listener,
      feed: () => {
        const client = TcpStream.connect({ host: '127.0.0.1', port: listener.localAddress().port });
        poll.registry.register(client, clients.push(client), Interest.WRITABLE);
      },
      drain: () => drainAll(() => abortOne(listener.accept())),
      close: () => {
        for (const client of clients) client.abort();
        listener.close();
        poll.close();
      },
    };
  },
  UdpSocket: () => {
    const [socket, sender] = [
      UdpSocket.bind({ host: '127.0.0.1', port: 0 }),
      UdpSocket.bind({ host: '127.0.0.1', port: 0 }),
    ];
    return {
      source: socket,
      feed: () => void sender.sendTo(Buffer.from('x'), endpointOf(socket)),
      drain: () => drainAll(() => socket.recvFrom(into)),
      close: () => {
        socket.close();
        sender.close();
      },
    };
  },
  Timer: () => {
    const timer = new Timer();
    return {
      source: timer,
      feed: () => timer.set(0),
      drain: () => drainAll(() => timer.read()),
      close: () => timer.close(),
    };
  },
  Registration: () => {
    const { registration, setReadiness } = Registration.create(ioThread);
    return {
      source: registration,
      feed: () => setReadiness.setReadiness(Ready.READABLE),
      drain: () => {
        const was = setReadiness.readiness !== 0;
        setReadiness.setReadiness(0);
        return was;
      },
      close: () => registration.close(),
    };
  },
  'channel receiver': () => {
    const { sender, receiver } = channel<string>({ ioThread });
    return {
      source: receiver,
      feed: () => void sender.trySend('x'),
      drain: () => drainAll(() => receiver.recv()),
      close: () => {
        sender.close();
        receiver.close();
      },
    };
  },
  'custom source': () => {
    const inner = (makers.Registration as () => Subject)();
    const source: CustomSource = {
      register: (registry, ...rest) => registry.register(inner.source, ...rest),
      reregister: (registry, ...rest) => registry.reregister(inner.source, ...rest),
      deregister: (registry) => registry.deregister(inner.source),
    };
    return { ...inner, source };
  },
  ...(unix && {
    UnixStream: () => {
      const [ours, theirs] = UnixStream.pair();
      const poll = new Poll({ ioThread });
      poll.registry.register(theirs, 0, Interest.WRITABLE);
      return {
        source: ours,
        feed: () => void theirs.write(Buffer.from('x')),
        drain: () => drainAll(() => ours.read(into)),
        close: () => {
          ours.abort();
          theirs.abort();
          poll.close();
        },
      };
    },
    UnixListener: () => {
      const name = abstractName('listener');
      const listener = UnixListener.bind(name);
      const clients: UnixStream[] = [];
      return {
        source: listener,
        feed: () => void clients.push(UnixStream.connect(name)),
        drain: () => drainAll(() => abortOne(listener.accept())),
        close: () => {
          for (const client of clients) client.close();
          listener.close();
        },
      };
    },
    UnixDatagram: () => {
      const [ours, theirs] = UnixDatagram.pair();
      return {
        source: ours,
        feed: () => void theirs.send(Buffer.from('x')),
        drain: () => drainAll(() => ours.recvFrom(into)),
        close: () => {
          ours.close();
          theirs.close();
        },
      };
    },
  }),
};

for (const [name, make] of Object.entries(makers)) {
  /** Runs with a subject that is fed and not registered yet. */
  const withSubject = (body: (subject: Subject, poll: Poll, events: Events) => void) => {
    const poll = new Poll({ ioThread });
    const subject = make();
    try {
      body(subject, poll, new Events());
    } finally {
      subject.close();
      poll.close();
    }
  };

  test(`${name}: an edge is told once per change, also to one who registers late`, (t) => {
    withSubject((subject, poll, events) => {
      subject.feed();
      poll.registry.register(subject.source, 1, READABLE, EDGE);
      expectEvents(poll, { token: 1, readable: true });
      t.is(poll.poll(events, 0), 0, 'nothing has changed since');
      t.true(subject.drain());
      t.false(subject.drain());
      subject.feed();
      expectEvents(poll, { token: 1, readable: true });
    });
  });

  test(`${name}: a level is told in every poll until it was read`, (t) => {
    withSubject((subject, poll, events) => {
      poll.registry.register(subject.source, 1, READABLE, LEVEL);
      t.is(poll.poll(events, 0), 0);
      subject.feed();
      for (let time = 0; time < 3; time++) {
        expectEvents(poll, { token: 1, readable: true });
        t.is(events.length, 0);
      }
      t.true(subject.drain());
      t.is(poll.poll(events, 0), 0);
    });
  });

  for (const [trigger, options] of [
    ['edge', EDGE],
    ['level', LEVEL],
  ] as const) {
    test(`${name}: oneshot with ${trigger} tells once, until it is registered anew`, (t) => {
      withSubject((subject, poll, events) => {
        poll.registry.register(subject.source, 1, READABLE, options | ONESHOT);
        subject.feed();
        expectEvents(poll, { token: 1, readable: true });
        t.true(subject.drain());
        subject.feed();
        t.is(poll.poll(events, 20), 0, 'disarmed');
        poll.registry.reregister(subject.source, 2, READABLE);
        expectEvents(poll, { token: 2, readable: true });
        t.true(subject.drain());
        subject.feed();
        t.is(poll.poll(events, 20), 0, 'the options were kept');
      });
    });
  }

  test(`${name}: reregister replaces token, interest and option at once, and looks again`, (t) => {
    withSubject((subject, poll, events) => {
      poll.registry.register(subject.source, 1, READABLE, EDGE);
      subject.feed();
      expectEvents(poll, { token: 1, readable: true });
      poll.registry.reregister(subject.source, 2, READABLE, LEVEL);
      for (let time = 0; time < 2; time++) {
        const seen = expectEvents(poll, { token: 2, readable: true });
        t.true(seen.every(({ token }) => token === 2));
      }
      poll.registry.reregister(subject.source, 3, READABLE, EDGE);
      expectEvents(poll, { token: 3, readable: true });
      t.is(poll.poll(events, 0), 0);
      poll.registry.deregister(subject.source);
      subject.feed();
      t.is(poll.poll(events, 20), 0);
      poll.registry.register(subject.source, 4, READABLE, EDGE);
      expectEvents(poll, { token: 4, readable: true });
    });
  });
}

test('every kind of source is in the table', (t) => {
  const kinds = [TcpStream, TcpListener, UdpSocket, Timer, Registration, UnixStream, UnixListener, UnixDatagram];
  const missing = kinds.map(({ name }) => name).filter((name) => !(name in makers));
  t.deepEqual(missing, unix ? [] : ['UnixStream', 'UnixListener', 'UnixDatagram']);
});
