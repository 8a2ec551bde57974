/** One connection of test/fixtures/sender.ts as its receiver sees it: checks every byte. */
import type { TcpStream } from '../../src/index.js';
import { Pattern, PREFIX_BYTES } from './pattern.js';

export class Inbound {
  readonly stream: TcpStream;
  readonly #seed: number;
  readonly #chunkMax: number;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  readonly #into: Buffer;
  #prefixRead = 0;
  #pattern: Pattern | undefined;
  /** Which of the sender's connections it is, once it has said so. */
  connection: number | undefined;
  /** Bytes received and found right. */
  position = 0;

  constructor(stream: TcpStream, seed: number, chunkMax: number) {
    this.stream = stream;
    this.#seed = seed;
    this.#chunkMax = chunkMax;
    this.#into = Buffer.alloc(chunkMax);
  }

  /** True once the connection has said which one it is. */
  readPrefix(): boolean {
    while (this.#prefixRead < PREFIX_BYTES) {
      const count = this.stream.read(this.#prefix.subarray(this.#prefixRead));
      if (count === null) return false;
      if (count === 0) throw new Error('the connection ended before it said which one it is');
      this.#prefixRead += count;
    }
    this.connection = this.#prefix.readUInt32LE();
    this.#pattern = new Pattern(this.#seed + this.connection, this.#chunkMax);
    return true;
  }

  /** Receives everything that is there; true when the stream has ended, which closes it. */
  receive(how: 'read' | 'take'): boolean {
    if (this.connection === undefined && !this.readPrefix()) return false;
    for (;;) {
      using lease = how === 'take' ? this.stream.take() : null;
      const count = how === 'take' ? (lease?.length ?? null) : this.stream.read(this.#into);
      if (count === null) return false;
      if (count === 0) {
        this.stream.close();
        return true;
      }
      const bytes = lease ? lease.bytes : this.#into.subarray(0, count);
      if (!this.#pattern?.matches(this.position, bytes)) throw new Error(`a wrong byte after ${this.position}`);
      this.position += count;
    }
  }
}
