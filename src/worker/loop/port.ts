/**
 * The completion port as the selector uses it: one method per submission, one callback per completion.
 *
 * Records go straight into the array that native code reads. When it is full they wait in `#overflow`, in
 * order, for the next turn; the records of one vectored send stay together.
 */
import type { NativePort } from '../../native.js';
import { ADDRESS_WORDS } from '../../protocol/address.js';
import {
  Complete,
  CompletionFlag,
  PIECES_PER_SEND,
  PIECES_PER_SEND_TO,
  PortOpcode,
  RECORD_WORDS,
  SEND_MORE_PIECES,
  SEND_SAME_DATAGRAM,
  Submit,
} from '../../protocol/port-records.js';

/** What a completion says, besides the operation it belongs to. */
export interface Completion {
  /** Bytes, a descriptor or 0; a negative errno on failure. */
  readonly result: number;
  /** False: this is the operation's release. */
  readonly more: boolean;
  /** Receive: the message in the buffer goes on in the next one. */
  readonly goesOn: boolean;
  /** Receive: the buffer that was filled. */
  readonly segment: number;
  readonly index: number;
  /** Copies the six words of the peer's address (accept) to `words[at]`. */
  copyAddress(words: Int32Array, at: number): void;
}

/** Owns an endpoint: hears of its completions. */
export interface EndpointOwner {
  completed(opcode: number, completion: Completion): void;
}

export class Port {
  readonly native: NativePort;
  readonly #submissions: Int32Array;
  readonly #completions: Int32Array;
  readonly #completion: CompletionView;
  readonly #capacity: number;
  #count = 0;
  /** Each element's records stay together. */
  #overflow: Int32Array[] = [];
  /** Where the records go that were reserved last. */
  #into: Int32Array;
  #at = 0;
  #sender = 0;
  #piecesLeft = 0;
  readonly #owners: (EndpointOwner | undefined)[] = [];
  readonly #freeEndpoints: number[] = [];
  readonly #freeGroups: number[] = [];
  #groupCount = 0;
  /** Why the last turn was woken, bits of `WakeReason`. */
  wakeReasons = 0;

  constructor(native: NativePort) {
    this.native = native;
    this.#submissions = native.submissions;
    this.#into = this.#submissions;
    this.#completions = native.completions;
    this.#completion = new CompletionView(native.completions);
    this.#capacity = native.submissions.length / RECORD_WORDS;
  }

  /** Takes a descriptor over; completions of the endpoint go to `owner` until its CLOSE is released. */
  adopt(fd: number, owner: EndpointOwner): number {
    const endpoint = this.#freeEndpoints.pop() ?? this.#owners.length;
    this.#owners[endpoint] = owner;
    this.#push(PortOpcode.ADOPT, endpoint, fd);
    return endpoint;
  }

  /** A number for a group of receive buffers: as small as can be, for kernels that have few. */
  newGroup(): number {
    return this.#freeGroups.pop() ?? this.#groupCount++;
  }

  /** The group was dropped; its number may name another. */
  freeGroup(group: number): void {
    this.#freeGroups.push(group);
  }

  /** Takes all buffers of a group back. Only between a turn and the next records, when the port knows all that it was given. */
  dropGroup(group: number): void {
    this.native.dropGroup(group);
  }

  /** Gives the pages of a segment back, which no group has buffers of. */
  discardSegment(segment: number): void {
    this.native.discardSegment(segment);
  }

  provide(group: number, segment: number, index: number): void {
    this.#push(PortOpcode.PROVIDE, 0, group, segment, index);
  }

  cancel(endpoint: number, opcode: number): void {
    this.#push(PortOpcode.CANCEL, endpoint, opcode);
  }

  shutdown(endpoint: number, how: number): void {
    this.#push(PortOpcode.SHUTDOWN, endpoint, how);
  }

  accept(endpoint: number, limit: number): void {
    this.#push(PortOpcode.ACCEPT, endpoint, limit);
  }

  connect(endpoint: number, address: Int32Array): void {
    this.#reserve(1);
    this.#into.set(address, this.#at + Submit.ADDRESS);
    this.#write(PortOpcode.CONNECT, endpoint, 0, 0, 0, 0);
  }

  receive(endpoint: number, group: number, limit: number): void {
    this.#push(PortOpcode.RECEIVE, endpoint, group, limit);
  }

  /** The receive in flight may fill so many buffers more. */
  extend(endpoint: number, count: number): void {
    this.#push(PortOpcode.EXTEND, endpoint, count);
  }

  /** Begins a send of `count` pieces, at most `PIECES_PER_SEND`: one operation with one release. They follow at once. */
  beginSend(endpoint: number, count: number): void {
    if (count < 1 || count > PIECES_PER_SEND) throw new RangeError(`a send has ${count} pieces`);
    this.#reserve(count);
    this.#sender = endpoint;
    this.#piecesLeft = count;
  }

  addPiece(segment: number, offset: number, length: number): void {
    const more = --this.#piecesLeft > 0 ? SEND_MORE_PIECES : 0;
    this.#write(PortOpcode.SEND, this.#sender, segment, offset, length, more);
  }

  receiveFrom(endpoint: number, group: number, limit: number): void {
    this.#push(PortOpcode.RECEIVE_FROM, endpoint, group, limit);
  }

  /** Begins a send of datagrams that have `count` pieces in all, at most `PIECES_PER_SEND_TO`. They follow at once. */
  beginSendTo(endpoint: number, count: number): void {
    if (count < 1 || count > PIECES_PER_SEND_TO) throw new RangeError(`a send of datagrams has ${count} pieces`);
    this.#reserve(count);
    this.#sender = endpoint;
    this.#piecesLeft = count;
  }

  /** `sameDatagram`: the next piece belongs to this one's datagram. `address`: six words at `addressAt`, the destination. */
  addDatagramPiece(
    segment: number,
    offset: number,
    length: number,
    sameDatagram: boolean,
    address: Int32Array,
    addressAt: number,
  ): void {
    let flags = --this.#piecesLeft > 0 ? SEND_MORE_PIECES : 0;
    if (sameDatagram) flags |= SEND_SAME_DATAGRAM;
    for (let word = 0; word < ADDRESS_WORDS; word++) {
      this.#into[this.#at + Submit.ADDRESS + word] = address[addressAt + word] as number;
    }
    this.#write(PortOpcode.SEND_TO, this.#sender, segment, offset, length, flags);
  }

  close(endpoint: number, mode: number): void {
    this.#push(PortOpcode.CLOSE, endpoint, mode);
  }

  /** Whether the next turn has something to submit. */
  hasSubmissions(): boolean {
    return this.#count > 0;
  }

  /** One turn of the native loop; returns how many completions {@link dispatch} will find. */
  turn(timeoutMs: number): number {
    const count = this.#count;
    this.#count = 0;
    // What waits in the overflow must not wait for the kernel too.
    const completions = this.native.turn(count, this.#overflow.length > 0 ? 0 : timeoutMs);
    if (this.#overflow.length > 0) this.#refill();
    return completions;
  }

  /** Hands the last turn's completions to the endpoints' owners. */
  dispatch(count: number): void {
    this.wakeReasons = 0;
    const completion = this.#completion;
    for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
      completion.read(at);
      const opcode = this.#completions[at + Complete.OPCODE] as number;
      if (opcode === PortOpcode.WAKE) {
        this.wakeReasons |= completion.result;
        continue;
      }
      this.#deliver(opcode, this.#completions[at + Complete.ENDPOINT] as number, completion);
    }
  }

  #deliver(opcode: number, endpoint: number, completion: CompletionView): void {
    const owner = this.#owners[endpoint];
    if (!owner || completion.rejected) {
      // The port and the selector disagree about what is in flight; going on would free memory in use.
      throw new Error(`completion port: opcode ${opcode} on endpoint ${endpoint}: ${completion.result}`);
    }
    if (opcode === PortOpcode.CLOSE && !completion.more) {
      this.#owners[endpoint] = undefined;
      this.#freeEndpoints.push(endpoint);
    }
    owner.completed(opcode, completion);
  }

  #push(opcode: number, endpoint: number, a = 0, b = 0, c = 0): void {
    this.#reserve(1);
    this.#write(opcode, endpoint, a, b, c, 0);
  }

  /** Room for `count` records in a row: in the array, or else in the overflow. */
  #reserve(count: number): void {
    if (this.#overflow.length > 0 || this.#count + count > this.#capacity) {
      this.#into = new Int32Array(count * RECORD_WORDS);
      this.#at = 0;
      this.#overflow.push(this.#into);
      return;
    }
    this.#into = this.#submissions;
    this.#at = this.#count * RECORD_WORDS;
    this.#count += count;
  }

  /** The next of the records reserved. */
  #write(opcode: number, endpoint: number, a: number, b: number, c: number, d: number): void {
    const words = this.#into;
    const at = this.#at;
    this.#at += RECORD_WORDS;
    words[at] = opcode;
    words[at + Submit.ENDPOINT] = endpoint;
    words[at + Submit.A] = a;
    words[at + Submit.B] = b;
    words[at + Submit.C] = c;
    words[at + Submit.D] = d;
  }

  #refill(): void {
    const waiting = this.#overflow;
    this.#overflow = [];
    for (const records of waiting) {
      this.#reserve(records.length / RECORD_WORDS);
      this.#into.set(records, this.#at);
    }
  }
}

/** One completion record, the same object for all of them; valid only during the callback. */
class CompletionView implements Completion {
  readonly #words: Int32Array;
  #at = 0;
  result = 0;
  more = false;
  rejected = false;
  goesOn = false;
  segment = 0;
  index = 0;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  read(at: number): void {
    const words = this.#words;
    this.#at = at;
    this.result = words[at + Complete.RESULT] as number;
    const flags = words[at + Complete.FLAGS] as number;
    this.more = (flags & CompletionFlag.MORE) !== 0;
    this.rejected = (flags & CompletionFlag.REJECTED) !== 0;
    this.goesOn = (flags & CompletionFlag.GOES_ON) !== 0;
    this.segment = words[at + Complete.SEGMENT] as number;
    this.index = words[at + Complete.INDEX] as number;
  }

  copyAddress(words: Int32Array, at: number): void {
    const from = this.#at + Complete.ADDRESS;
    for (let word = 0; word < ADDRESS_WORDS; word++) words[at + word] = this.#words[from + word] as number;
  }
}
