/** Round trips through the I/O thread that are under way, by their tickets. */
export class Posts {
  readonly #waiting = new Map<number, () => void>();
  #next = 1;

  /** The ticket to send. */
  add(done: () => void): number {
    const ticket = this.#next;
    this.#next = (ticket + 1) & 0x7fff_ffff;
    this.#waiting.set(ticket, done);
    return ticket;
  }

  /** It came back. */
  returned(ticket: number): void {
    const done = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    done?.();
  }

  clear(): void {
    this.#waiting.clear();
  }
}
