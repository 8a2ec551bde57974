/** One line that tells how far a run is: overwritten on a terminal, one line per round elsewhere. */

export class Progress {
  readonly #name: string;
  readonly #steps: number;
  #step = 0;
  #round = 0;

  constructor(name: string, steps: number) {
    this.#name = name;
    this.#steps = steps;
  }

  next(round: number, rounds: number, label: string): void {
    const text = `${this.#name}: round ${round} of ${rounds}`;
    const percent = Math.floor((100 * this.#step++) / this.#steps);
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}, ${percent} %, ${label}`);
    else if (round !== this.#round) process.stderr.write(`${text}\n`);
    this.#round = round;
  }

  done(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
