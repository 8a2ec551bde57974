/**
 * The handler of every server in JavaScript: it sees each message (one byte of it, so that the work is the servers'
 * own) and answers with the same bytes. Messages have one size; a received chunk may hold several, or parts.
 */
export class Handler {
  readonly #size: number;
  /** Read by nobody; without it the loop could be optimised away. */
  checksum = 0;

  constructor(size: number) {
    this.#size = size;
  }

  see(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += this.#size) this.checksum += chunk[at] as number;
  }
}
