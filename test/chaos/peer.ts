/**
 * The other end of one stream, of Node's own make: sends in bursts that fill every buffer on the way, checks what comes, and pauses
 * often, so that its owners' writes pile up. Without the pauses fifty of them would leave no time for anybody to move.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Random } from '../util/random.js';
import type { Progress } from './messages.js';
import { CHUNK_MAX, type Traffic } from './traffic.js';

export class Peer {
  readonly id: number;
  readonly connected: Promise<void>;
  /** When the connection is over: how far it came, in the owners' words. Rejects when a byte was wrong. */
  readonly over: Promise<Progress>;
  readonly #socket: Socket;
  readonly #traffic: Traffic;
  readonly #random: Random;
  #sent = 0;
  #received = 0;
  #finishing = false;

  constructor(id: number, to: NetConnectOpts, traffic: Traffic, random: Random) {
    this.id = id;
    this.#traffic = traffic;
    this.#random = random;
    this.#socket = connect({ ...to, allowHalfOpen: true });
    this.connected = new Promise((resolve) => {
      this.#socket.once('connect', resolve);
    });
    this.over = new Promise((resolve, reject) => {
      this.#socket.on('data', (bytes) => {
        try {
          this.#receive(bytes);
        } catch (error) {
          reject(error as Error);
          this.#socket.destroy();
        }
      });
      this.#socket.on('end', () => this.#socket.end());
      // An owner that is terminated may leave unread data behind, which resets the connection.
      this.#socket.on('error', () => {});
      this.#socket.on('close', () => resolve({ received: this.#sent, sent: this.#received }));
    });
    this.over.catch(() => {});
    this.#socket.on('connect', () => this.#send()).on('drain', () => this.#send());
  }

  /** Ends sending; the owner answers by ending the other way. */
  finish(): void {
    this.#finishing = true;
    this.#socket.resume();
    this.#socket.end();
  }

  #send(): void {
    for (let burst = this.#random.integer(1, 8); burst > 0; burst--) {
      if (this.#finishing || !this.#socket.writable) return;
      const length = this.#random.logUniform(1, CHUNK_MAX);
      const bytes = this.#traffic.at(this.id, 'in', this.#sent, length);
      this.#sent += length;
      // The rest when it has drained.
      if (!this.#socket.write(bytes)) return;
    }
    setTimeout(() => this.#send(), this.#random.integer(1, 40));
  }

  #receive(bytes: Buffer): void {
    this.#traffic.check(this.id, 'out', this.#received, bytes);
    this.#received += bytes.length;
    if (this.#finishing || this.#random.unit() > 0.5) return;
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), this.#random.integer(1, 40));
  }
}
