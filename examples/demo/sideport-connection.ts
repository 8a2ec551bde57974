/**
 * One connection served through sideport.
 *
 * ```
 *   reading ──the stream takes less than the reply──► writing ──all taken──► reading
 *      │ the reply is the last one
 *      └──► ending: our side is shut down; what still comes is read and dropped ──end of stream──► closed
 * ```
 *
 * Registered level-triggered for one thing at a time: while it writes it does not read, so a client that sends
 * without reading is held back by TCP. One read per event, so no client starves another.
 */
import { Interest, PollOpt, type Registry, type TcpStream } from 'sideport';
import type { Handler, Reply } from './handler.js';
import type { Traffic } from './server.js';

/** One for all connections: a read's bytes are answered, or copied, before the next read. */
const scratch = new Uint8Array(65_536);

export class SideportConnection {
  readonly #registry: Registry;
  readonly #token: number;
  readonly #stream: TcpStream;
  readonly #handler: Handler;
  readonly #traffic: Traffic;
  #unsent = new Uint8Array(0);
  #last = false;
  #readEnded = false;

  constructor(registry: Registry, token: number, stream: TcpStream, handler: Handler, traffic: Traffic) {
    this.#registry = registry;
    this.#token = token;
    this.#stream = stream;
    this.#handler = handler;
    this.#traffic = traffic;
    stream.setNoDelay();
    registry.register(stream, token, Interest.READABLE, PollOpt.LEVEL);
  }

  get closed(): boolean {
    return this.#stream.closed;
  }

  /** Ready for what it was registered for, or broken: then read or write throws the reason. */
  handle(): void {
    try {
      if (this.#unsent.length > 0) this.#flush();
      else this.#receive();
    } catch (error) {
      // The connection broke: its peer went away. An error of sideport itself would be this program's fault.
      if (!('syscall' in (error as Error))) throw error;
      this.#stream.abort();
    }
  }

  close(): void {
    this.#stream.close();
  }

  #receive(): void {
    const count = this.#stream.read(scratch);
    if (count === null) return;
    this.#traffic.bytesReceived += count;
    this.#readEnded = count === 0;
    if (this.#last) {
      if (this.#readEnded) this.#stream.close();
      return;
    }
    this.#send(this.#readEnded ? this.#handler.end() : this.#handler.receive(scratch.subarray(0, count)));
  }

  #send({ bytes, last }: Reply): void {
    this.#last = last;
    const taken = bytes.length === 0 ? 0 : (this.#stream.write(bytes) ?? 0);
    this.#traffic.bytesSent += taken;
    if (taken === bytes.length) return this.#sent();
    this.#unsent = new Uint8Array(bytes.subarray(taken));
    this.#registry.reregister(this.#stream, this.#token, Interest.WRITABLE, PollOpt.LEVEL);
  }

  #flush(): void {
    const taken = this.#stream.write(this.#unsent) ?? 0;
    this.#traffic.bytesSent += taken;
    this.#unsent = this.#unsent.subarray(taken);
    if (this.#unsent.length > 0) return;
    this.#registry.reregister(this.#stream, this.#token, Interest.READABLE, PollOpt.LEVEL);
    this.#sent();
  }

  /** Closing with unread bytes would reset the connection and could take the reply with it: hence shutdown first. */
  #sent(): void {
    if (!this.#last) return;
    if (this.#readEnded) this.#stream.close();
    else this.#stream.shutdown('write');
  }
}
