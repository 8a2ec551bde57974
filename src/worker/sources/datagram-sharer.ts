/**
 * One client's part in a datagram socket: what it has received and not read, what it has sent and the kernel has not taken.
 *
 * ```
 *   open ──CLOSE submitted, or its thread ends──► flushing ──all sent, or RESET, or lingerMs over──► leaving ──► released
 *     └──HAND_BACK: what it has not read goes to the others (or is lost with the last)──┘              │
 *                                                          nothing of its memory is in use any more ──┘
 * ```
 *
 * What the kernel says of datagrams sent before (ICMP) may be told to a later send, which then has sent nothing: so a datagram that is
 * refused is tried once more.
 */
import { Readiness } from '../../protocol/client-memory.js';
import { HEADER_BYTES } from '../../protocol/datagram.js';
import { EventKind } from '../../protocol/events.js';
import { INTEREST_READABLE } from '../../protocol/interest.js';
import { CloseMode } from '../../protocol/port-records.js';
import { type BufferHolder, type ReceivePool, takeBack } from '../buffers/receive-pool.js';
import type { Session } from '../clients/session.js';
import { DatagramSends } from './datagram-sends.js';
import type { DatagramSocket } from './datagram-socket.js';
import type { Dealable } from './dealer.js';
import type { Source } from './source.js';

export class DatagramSharer implements Source, BufferHolder, Dealable {
  readonly slot: number;
  readonly generation: number;
  readonly session: Session;
  heldBuffers = 0;
  copiedBuffers = 0;
  /** It keeps what it has until it reads it or closes, so being behind says all. */
  readonly isStalled = false;
  readonly #socket: DatagramSocket;
  #state: 'open' | 'flushing' | 'leaving' = 'open';
  #wantsData = false;
  /** There was no buffer for it; {@link arm} is called when there is. */
  #starving = false;
  #handedBack = false;
  #moving = false;
  /** Made by the first send. */
  #sends: DatagramSends | undefined;
  /** The first unsent datagram was refused once. */
  #refused = false;

  constructor(socket: DatagramSocket, session: Session, slot: number, generation: number) {
    this.#socket = socket;
    this.session = session;
    this.slot = slot;
    this.generation = generation;
    session.addSource(slot, this);
  }

  // -- receiving -------------------------------------------------------------------------------------

  get wantsData(): boolean {
    return this.#wantsData && this.isOpen;
  }

  get isOpen(): boolean {
    return this.#state === 'open' && !this.#handedBack;
  }

  get isEligible(): boolean {
    return this.wantsData && !this.#starving;
  }

  /** Datagrams that it has and has not given back. */
  get behind(): number {
    return this.heldBuffers;
  }

  setInterest(interest: number): void {
    this.#wantsData = (interest & INTEREST_READABLE) !== 0;
    if (!this.#wantsData) this.#unstarve();
    this.#socket.changed();
  }

  /** A buffer came back. */
  arm(): void {
    this.#starving = false;
    if (this.isOpen) this.#socket.changed();
  }

  /** Gives it a datagram, header included. False: there is no buffer for it now. */
  give(datagram: Uint8Array): boolean {
    const name = this.session.needDealtBuffers()?.put(this, datagram);
    this.#starving = name === undefined;
    if (name === undefined) return false;
    this.tell(name, datagram.length - HEADER_BYTES);
    return true;
  }

  /** A buffer of its own has a datagram of so many bytes. */
  tell(name: number, length: number): void {
    this.session.push(EventKind.DATA, this.slot, this.generation, name, length);
  }

  /** What it was given and has not given back is the socket's again: the client gives back nothing more. */
  handBack(): void {
    if (this.#handedBack) return;
    this.#handedBack = true;
    const { datagramPool, dealtBuffers } = this.session;
    const pools = [datagramPool, dealtBuffers?.pool].filter((pool): pool is ReceivePool => pool !== undefined);
    this.#socket.returned(takeBack(pools, this).map(({ bytes }) => bytes));
  }

  // -- sending ---------------------------------------------------------------------------------------

  /** The client filled a buffer with frames: it is in order behind those before it. */
  send(name: number): void {
    this.#sends ??= new DatagramSends(this.session, this);
    this.#sends.add(name);
    this.#socket.flushLater();
  }

  /** It has moved to another client, and what it sent before is not with the kernel yet. */
  get sendsFirst(): boolean {
    return this.#moving && this.#state === 'flushing' && this.#sends?.isEmpty === false;
  }

  /** Begins to send the first datagrams; false if there are none. */
  beginSend(endpoint: number): boolean {
    if (!this.#sends || this.#sends.isEmpty || this.#state === 'leaving') return false;
    const begun = this.#sends.begin(endpoint);
    // Corrupt: the session closes this as well.
    if (begun === undefined) this.session.detach();
    return begun === true;
  }

  /** The send is released: so many datagrams are with the kernel, or the error of the first. */
  sent(result: number): void {
    if (this.#state === 'leaving') return;
    if (result > 0) {
      this.#refused = false;
      this.#sends?.sent(result);
    } else if (result < 0) {
      // Of an earlier datagram, or it will be met again.
      this.#refused = !this.#refused;
      if (!this.#refused) this.#sends?.sent(1);
      this.fail(result);
    }
    this.#leaveIfSent();
  }

  fail(errno: number): void {
    this.session.ready(this.slot, this.generation, Readiness.FAILED, errno);
  }

  // -- the end ---------------------------------------------------------------------------------------

  /** Moves to another client: the socket waits for that. False: it does so already. */
  detach(): boolean {
    if (!this.session.selector.kept.add(this.#socket, this.session, this.slot, this.generation)) return false;
    this.#moving = true;
    this.handBack();
    this.close(CloseMode.FLUSHED);
    return true;
  }

  /** The client has ended: before its sources are closed. Its memory stays until this is released. */
  leave(): void {
    this.handBack();
  }

  close(mode: number): void {
    if (this.#state === 'leaving') return;
    this.#wantsData = false;
    this.#unstarve();
    if (mode === CloseMode.RESET) return this.#leave();
    if (this.#state === 'flushing') return;
    this.#state = 'flushing';
    this.session.selector.linger.add(this);
    this.#socket.closed();
    this.#socket.flushLater();
    this.#leaveIfSent();
  }

  completed(): void {}

  /** Last of all: neither a receive nor a send of the kernel's uses the client's memory. */
  released(): void {
    this.#sends?.giveBackAll();
    this.session.removeSource(this.slot, this.generation);
  }

  #leaveIfSent(): void {
    const idle = !this.#sends || this.#sends.isEmpty;
    if (this.#state === 'flushing' && idle && !this.#socket.isSendingFor(this)) this.#leave();
  }

  #leave(): void {
    this.#state = 'leaving';
    this.session.selector.linger.remove(this);
    this.#socket.left(this);
  }

  #unstarve(): void {
    this.#starving = false;
    this.session.datagramPool?.unstarve(this);
    this.session.dealtBuffers?.pool.unstarve(this);
  }
}
