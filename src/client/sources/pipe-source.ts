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
 */
import { takeReadiness } from '../../atomics/readiness.js';
import { errnoOf, fail, systemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { ADDRESS_BYTES } from '../../protocol/address.js';
import { EventKind } from '../../protocol/events.js';
import { Submission } from '../../protocol/submissions.js';
import type { Lease } from '../buffers/lease.js';
import type { Client } from '../link/client.js';
import { StreamSource } from './stream-source.js';

const EMSGSIZE = errnoOf('EMSGSIZE');

export class PipeSource extends StreamSource {
  readonly isServer: boolean;
  readonly #messages: boolean;
  /** What was read last was not all of its message. */
  #midMessage = false;
  #state: 'session' | 'leaving' | 'disconnected' = 'session';
  #reconnects = false;

  /** `waits`: a server's end without a client; else it is connected. */
  constructor(descriptor: Descriptor, isServer: boolean, messages: boolean, waits: boolean) {
    super(descriptor, descriptor.fd);
    this.isServer = isServer;
    this.#messages = messages;
    this.prepare('NamedPipe', new Uint8Array(ADDRESS_BYTES), !waits);
  }

  override dispatch(kind: number, a: number, b: number): void {
    if (kind === EventKind.DISCONNECTED) return this.#disconnected();
    if (this.#state === 'session') return super.dispatch(kind, a, b);
    const client = this.client as Client;
    if (kind === EventKind.DATA) client.recycle(a);
    else if (kind === EventKind.READY) takeReadiness(client.words, this.slot);
  }

  protected override leaving(): never {
    throw fail('ERR_SIDEPORT_NOT_MOVABLE', 'A NamedPipe belongs to its thread, and keeps its Poll there');
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
