/** Datagrams for which the kernel has no room, over every backend. */
import test, { type ExecutionContext } from 'ava';
import { CloseMode, PortOpcode } from '../../src/protocol/port-records.js';
import { SocketOption } from '../../src/protocol/socket-options.js';
import { errno } from '../util/errno.js';
import { unansweredAddress } from '../util/neighbour.js';
import { addon, backends, type Piece, PortDriver } from '../util/port-driver.js';
import { openDatagramSocket } from '../util/port-sockets.js';

const { ECANCELED } = errno;
const { CLOSE, SEND_TO } = PortOpcode;

/** A socket with the least room there is, and where what it sends takes seconds to leave. */
class Crowded {
  readonly driver: PortDriver;
  readonly endpoint: number;
  readonly #to: Uint8Array;
  readonly #piece: Piece;

  constructor(backend: string, to: Uint8Array) {
    this.driver = new PortDriver(backend);
    this.#to = to;
    this.#piece = [this.driver.addSegment(1), 0, 1000];
    const fd = openDatagramSocket(4, new Uint8Array(to.length).fill(4, 0, 1));
    if (addon.socket.setOption(fd, SocketOption.SEND_BUFFER_SIZE, 1) !== 0) throw new Error('SO_SNDBUF');
    this.endpoint = this.driver.adopt(fd);
  }

  /** Sends of one datagram each, until one waits, which is left in flight. */
  fill(): void {
    for (let sent = 0; sent < 1000; sent++) {
      this.send(1);
      this.driver.settle();
      const [done] = this.driver.takeSeen();
      if (!done) return;
      if (done.result !== 1) throw new Error(`sent ${done.result} of 1`);
    }
    throw new Error('there always was room');
  }

  send(count: number): void {
    this.driver.sendTo(this.endpoint, this.#to, ...Array.from({ length: count }, (): Piece[] => [this.#piece]));
  }

  result(): number {
    return this.driver.next(this.endpoint, SEND_TO).result;
  }
}

/** Calls `body` with such a socket. */
function crowded(t: ExecutionContext, backend: string, body: (crowded: Crowded) => void): void {
  const to = unansweredAddress();
  if (to) body(new Crowded(backend, to));
  else t.pass('this machine is on no network, and its loopback always has room');
}

for (const backend of backends) {
  const title = (text: string) => `${backend}: ${text}`;

  test(title('datagrams that find no room wait, and are sent when there is some'), (t) => {
    crowded(t, backend, (socket) => {
      socket.fill();
      t.deepEqual(socket.driver.inFlight(), [`${socket.endpoint}:${SEND_TO}`]);
      t.is(socket.result(), 1);
      socket.send(3);
      t.is(socket.result(), 3, 'one waited for those before it');
      socket.driver.end();
    });
  });

  test(title('a send that waits for room is cancelled, and the next one waits as well'), (t) => {
    crowded(t, backend, (socket) => {
      socket.fill();
      for (let round = 0; round < 3; round++) {
        socket.driver.cancel(socket.endpoint, SEND_TO);
        t.is(socket.result(), -ECANCELED);
        socket.send(2);
        socket.driver.settle();
        t.deepEqual(socket.driver.takeSeen(), []);
      }
      socket.driver.end();
    });
  });

  for (const mode of [CloseMode.FLUSHED, CloseMode.RESET]) {
    test(title(`a close releases a send that waits for room (mode ${mode})`), (t) => {
      crowded(t, backend, (socket) => {
        socket.fill();
        socket.driver.close(socket.endpoint, mode);
        t.is(socket.result(), -ECANCELED);
        t.is(socket.driver.next(socket.endpoint, CLOSE).result, 0);
        socket.driver.end();
      });
    });
  }
}
