/** The clients of the load driver. They check every byte: a wrong answer ends the demo. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { SocketAddress } from 'sideport';

const MESSAGE_BYTES = 64;

/** Sends numbered messages and takes the time of each until its echo is complete. */
export class EchoConnection {
  readonly connected: Promise<unknown>;
  readonly #socket: Socket;
  readonly #onRoundTrip: (ms: number) => void;
  /** Of the messages not yet echoed, the oldest first. */
  readonly #sentMs: number[] = [];
  #nextSent = 0;
  #nextEchoed = 0;
  #received: Buffer = Buffer.alloc(0);

  constructor({ address, port }: SocketAddress, onRoundTrip: (ms: number) => void) {
    this.#socket = connect({ host: address, port, noDelay: true });
    this.#onRoundTrip = onRoundTrip;
    this.connected = once(this.#socket, 'connect');
    this.#socket.on('data', (bytes) => this.#receive(bytes));
  }

  get unanswered(): number {
    return this.#sentMs.length;
  }

  send(): void {
    this.#sentMs.push(performance.now());
    this.#socket.write(message(this.#nextSent++));
  }

  end(): void {
    this.#socket.end();
  }

  #receive(bytes: Buffer): void {
    const nowMs = performance.now();
    this.#received = Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= MESSAGE_BYTES) {
      const echo = this.#received.subarray(0, MESSAGE_BYTES);
      this.#received = this.#received.subarray(MESSAGE_BYTES);
      const sentMs = this.#sentMs.shift();
      if (sentMs === undefined || !echo.equals(message(this.#nextEchoed++))) throw new Error('The echo is wrong');
      this.#onRoundTrip(nowMs - sentMs);
    }
  }
}

function message(number: number): Buffer {
  const bytes = Buffer.alloc(MESSAGE_BYTES, number & 0xff);
  bytes.writeUInt32LE(number);
  return bytes;
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n';
const RESPONSE = /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nHello/;

/** One new connection with one HTTP request: the time from `connect` to the first byte of the answer. */
export async function httpProbe({ address, port }: SocketAddress): Promise<number> {
  const startMs = performance.now();
  const socket = connect({ host: address, port, noDelay: true });
  socket.write(REQUEST);
  let firstMs: number | undefined;
  let text = '';
  socket.on('data', (bytes) => {
    firstMs ??= performance.now();
    text += bytes.toString('latin1');
  });
  await once(socket, 'end');
  if (firstMs === undefined || !RESPONSE.test(text))
    throw new Error(`The HTTP answer is wrong: ${JSON.stringify(text)}`);
  return firstMs - startMs;
}
