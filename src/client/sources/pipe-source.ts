/**
 * A named pipe on its owner's thread: a stream, of bytes or of messages, and for the server's end one session after another.
 *
 * ```
 *   waiting ──a client came──► session ──disconnect──► leaving ──DISCONNECTED──► disconnected ──reconnect──► waiting
 *      └────────────────disconnect────────────────────►   │ reconnect: remembered, and done as soon as it may be
 * ```
 *
 * What the event ring still has of a session that was left comes before DISCONNECTED, and is dropped; what it has of the next
 * one comes after RECONNECT was submitted, and that is not before DISCONNECTED was read. So nothing of one session reaches the next.
 *
 * A pipe that moves takes its state along; DISCONNECTED is told to whoever has it then, if no earlier owner has seen it.
 */
import { takeReadiness } from '../../atomics/readiness.js';
import { errnoOf, fail, systemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { ADDRESS_BYTES } from '../../protocol/address.js';
import { EventKind } from '../../protocol/events.js';
import { Submission } from '../../protocol/submissions.js';
import type { DetachedStream, PipeState, UnreadData } from '../../protocol/transfer.js';
import type { Lease } from '../buffers/lease.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { arrive } from './stream-move.js';
import { StreamSource } from './stream-source.js';

const KIND = 'NamedPipe';
const EMSGSIZE = errnoOf('EMSGSIZE');

export class PipeSource extends StreamSource {
  readonly isServer: boolean;
  readonly #messages: boolean;
  /** What was read last was not all of its message. */
  #midMessage: boolean;
  #state: PipeState['session'];
  #reconnects: boolean;

  /** `waits`: a server's end without a client; else it is connected. */
  static opened(descriptor: Descriptor, isServer: boolean, messages: boolean, waits: boolean): PipeSource {
    const state: PipeState = { isServer, messages, midMessage: false, session: 'session', reconnects: false };
    const pipe = new PipeSource(state, descriptor, descriptor.fd);
    pipe.prepare(KIND, new Uint8Array(ADDRESS_BYTES), !waits);
    return pipe;
  }

  /** Detached elsewhere, and ours if this does not throw. */
  static arrived(name: DetachedStream<typeof KIND>): PipeSource {
    // The name is of the class that it is looked up by.
    return arrive(name, KIND, (client, at) => new PipeSource(name.pipe as PipeState, undefined, name.fd, client, at));
  }

  private constructor(
    { isServer, messages, midMessage, session, reconnects }: PipeState,
    descriptor: Descriptor | undefined,
    fd: number,
    client?: Client,
    at?: SlotName,
  ) {
    super(descriptor, fd, client, at);
    this.isServer = isServer;
    this.#messages = messages;
    this.#midMessage = midMessage;
    this.#state = session;
    this.#reconnects = reconnects;
  }

  override dispatch(kind: number, a: number, b: number): void {
    if (kind === EventKind.DISCONNECTED) return this.#disconnected();
    if (this.#state === 'session') return super.dispatch(kind, a, b);
    const client = this.client as Client;
    if (kind === EventKind.DATA) client.recycle(a);
    else if (kind === EventKind.READY) takeReadiness(client.words, this.slot);
  }

  override late(data: UnreadData): void {
    if (this.#state === 'session') return super.late(data);
    if (this.closed) return;
    // DISCONNECTED waits for the answer.
    this.submit(Submission.COPIES_READ, data.lengths.length);
    this.submit(Submission.LATE_TAKEN);
  }

  protected override describeMore(): { pipe: PipeState } {
    const { isServer } = this;
    return {
      pipe: {
        isServer,
        messages: this.#messages,
        midMessage: this.#midMessage,
        session: this.#state,
        reconnects: this.#reconnects,
      },
    };
  }

  override get messages(): boolean {
    return this.#messages;
  }

  get midMessage(): boolean {
    return this.#midMessage;
  }

  override read(into: Uint8Array): number | null {
    const count = super.read(into);
    if (count) this.#midMessage = this.#messages && (this.client as Client).received.lastReadGoesOn;
    return count;
  }

  override readv(into: readonly Uint8Array[]): number | null {
    if (!this.#messages) return super.readv(into);
    let count = 0;
    for (const part of into) {
      const read = count > 0 && !this.#midMessage ? 0 : this.read(part);
      if (read === null) return count > 0 ? count : null;
      count += read;
      if (read < part.length) break;
    }
    this.checkOpen();
    return count;
  }

  override take(): Lease | null {
    const received = this.client?.received;
    const goesOn = this.#messages && received?.goesOn(this.firstChunk) === true;
    const lease = super.take();
    if (lease && lease.length > 0) this.#midMessage = goesOn;
    return lease;
  }

  override write(bytes: Uint8Array): number | null {
    const most = this.#messages ? (this.client?.sendPool.bufferSize ?? Number.POSITIVE_INFINITY) : bytes.length;
    if (bytes.length > most) {
      this.checkOpen();
      throw systemError('write', EMSGSIZE);
    }
    return super.write(bytes);
  }

  override shutdown(how: 'read' | 'write' | 'both'): void {
    if (how === 'write' || how === 'both') {
      this.checkOpen();
      throw fail('ERR_SIDEPORT_UNSUPPORTED', 'A named pipe has no end of one direction: close it');
    }
    super.shutdown(how);
  }

  // -- sessions --------------------------------------------------------------------------------------

  disconnect(): void {
    this.#checkServer();
    if (this.#state !== 'session') return;
    this.client?.checkAlive();
    this.#midMessage = false;
    this.startOver();
    // One that was never registered waits for nobody yet.
    if (this.client === undefined) return;
    this.#state = 'leaving';
    this.#reconnects = false;
    this.submit(Submission.DISCONNECT);
  }

  reconnect(): void {
    this.#checkServer();
    this.client?.checkAlive();
    if (this.#state === 'leaving') this.#reconnects = true;
    else if (this.#state === 'disconnected') this.#wait();
  }

  #disconnected(): void {
    this.#state = 'disconnected';
    if (this.#reconnects && !this.closed) this.#wait();
  }

  #wait(): void {
    this.#state = 'session';
    this.submit(Submission.RECONNECT);
  }

  #checkServer(): void {
    this.checkOpen();
    if (!this.isServer) throw fail('ERR_SIDEPORT_UNSUPPORTED', "Only a named pipe's server end has sessions");
  }
}
