/**
 * The I/O thread's loop. A turn is: take submissions, one native call that submits, waits and reaps, hand each
 * completion to its source, publish. It blocks nowhere but in that call, and there never longer than 100 ms.
 */
import { lowerAsleep, raiseAsleep, stopRequested } from '../../atomics/io-sleep.js';
import { WakeReason } from '../../protocol/port-records.js';
import type { Selector } from './selector.js';
import { Spin } from './spin.js';

/**
 * Termination, heap snapshots, diagnostic reports and the inspector wait for the end of the native call. So it is
 * short even when idle; ten empty turns a second cost a thousandth of a core.
 */
const SLICE_MS = 100;

export class TurnLoop {
  readonly #selector: Selector;
  readonly #ioHeader: Int32Array;
  readonly #spin: Spin;
  /** Completions of the last turn that had any. */
  #lastCompletions = 0;
  /** The last turn left nothing to do at once. */
  #idle = false;

  constructor(selector: Selector, ioHeader: Int32Array, spinUs: number) {
    this.#selector = selector;
    this.#ioHeader = ioHeader;
    this.#spin = new Spin(spinUs, selector.port.native.clock);
  }

  /** Turns until a control message waits (true) or the thread is asked to stop (false). */
  run(): boolean {
    while (!stopRequested(this.#ioHeader)) {
      if ((this.turn() & WakeReason.CONTROL) !== 0) return true;
    }
    return false;
  }

  /** One turn; returns why it was woken. A method of its own, so that termination is noticed at its calls. */
  turn(): number {
    const selector = this.#selector;
    const taken = selector.takeSubmissions();
    const limitMs = selector.runTimers(SLICE_MS);
    selector.publish();
    if (taken > 0) this.#spin.foundWork();
    const mayWait = taken === 0 && this.#idle;
    const count =
      mayWait && !this.#spin.lookAgain(this.#lastCompletions) ? this.#sleep(limitMs) : selector.port.turn(0);
    selector.releaseRetired();
    selector.counters.turns++;
    this.#idle = count === 0 && taken === 0;
    if (count === 0) {
      selector.trimPools();
      selector.port.wakeReasons = 0;
      return 0;
    }
    this.#spin.foundWork();
    this.#lastCompletions = count;
    selector.port.dispatch(count);
    selector.publish();
    return selector.port.wakeReasons;
  }

  /** The sleep protocol (atomics/io-sleep.ts); returns the number of completions. */
  #sleep(limitMs: number): number {
    const { port, counters } = this.#selector;
    raiseAsleep(this.#ioHeader);
    const timeoutMs = this.#selector.hasSubmissions() || stopRequested(this.#ioHeader) ? 0 : limitMs;
    counters.sleeps++;
    const count = port.turn(timeoutMs);
    lowerAsleep(this.#ioHeader);
    return count;
  }
}
