/**
 * A client's sleep protocol (anybody -> client). The ringers are the I/O thread (after publishing events) and any
 * thread that signals an Awakener or an interrupt. One word, SLEEP, says whether and how the client
 * sleeps; whoever swaps it away rings, so there is at most one doorbell in flight.
 *
 * ```
 *               client blocks                    ringer swaps, then Atomics.notify
 *          ┌──────────────────► BLOCKED ────────────────────────────┐
 *          │  ◄── client wakes by itself: swaps it back ──          │
 *   AWAKE ─┤                                                        ▼
 *     ▲    │ client yields to its event loop                      AWAKE
 *     │    └──────────────────► LISTENING ──ringer swaps, then rings──► RUNG
 *     │         client goes on: swaps it back ──► AWAKE               │
 *     └────────── the doorbell's callback has run ◄───────────────────┘
 * ```
 *
 * ```
 *        client                                  ringer
 *   A1   SLEEP := BLOCKED or LISTENING      B1   publish (event tail, or SIGNALS + 1)
 *   A2   look at tail and SIGNALS again     B2   s := SLEEP; if s is BLOCKED or LISTENING
 *   A3   nothing new: wait                           and I swap it: ring as s says
 * ```
 *
 * Ordering. As in io-sleep.ts: all four are SeqCst, so if A2 misses what B1 published then B2 sees the raised flag.
 * BLOCKED: the swap changes the word on which `Atomics.wait` sleeps, so a ring between A2 and A3 makes the wait
 * return at once ("not-equal"). LISTENING: the doorbell callback stays queued until the event loop runs it.
 *
 * RUNG is what remembers a callback under way: a client that goes on meanwhile (it drains in a blocking poll, say) learns of
 * it from its own swap, and does not raise LISTENING again before that callback has run. So callbacks
 * never pile up. `test/model/doorbell.pml` has all of it, with several ringers.
 */
import { Header } from '../protocol/client-memory.js';

const AWAKE = 0;
const BLOCKED = 1;
const LISTENING = 2;
const RUNG = 3;

/** The native half of ringing a client that listens: swaps `words[at]` and, if that succeeds, rings. */
export interface Bell {
  ringDoorbell(clientId: number, words: Int32Array, at: number, from: number, to: number): boolean;
}

/**
 * B2, on any thread but the client's own, after publishing. True if this call has rung.
 *
 * A ringer may be terminated between any two steps. Between the swap and the notification of a blocked client that costs at
 * most the slice for which it blocks. A listening client, left at RUNG and never called back, would be deaf for good: so there
 * both steps are one native call, which termination does not interrupt.
 */
export function ring(words: Int32Array, bell: Bell, clientId: number): boolean {
  const state = Atomics.load(words, Header.SLEEP);
  if (state === LISTENING) return bell.ringDoorbell(clientId, words, Header.SLEEP, LISTENING, RUNG);
  if (state !== BLOCKED) return false;
  if (Atomics.compareExchange(words, Header.SLEEP, BLOCKED, AWAKE) !== BLOCKED) return false;
  Atomics.notify(words, Header.SLEEP);
  return true;
}

/** The client's side. One per client thread. */
export class Sleeper {
  readonly #words: Int32Array;
  /** A doorbell callback is queued on this thread and has not run. */
  #callbackDue = false;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /**
   * Blocks this thread until somebody rings, at most `timeoutMs`. `hasNews` is A2 and must look, with SeqCst loads, at
   * everything that a ringer publishes.
   */
  block(timeoutMs: number, hasNews: () => boolean): void {
    this.#lower();
    Atomics.store(this.#words, Header.SLEEP, BLOCKED);
    if (!hasNews()) Atomics.wait(this.#words, Header.SLEEP, BLOCKED, timeoutMs);
    this.#lower();
  }

  /** From now on a ringer runs the doorbell's callback. False, and lowered again, when there is news already. */
  listen(hasNews: () => boolean): boolean {
    // First, because it may find that a ringer came since LISTENING was raised last.
    this.#lower();
    // The callback under way serves as well: it has yet to run and will look at everything then.
    if (this.#callbackDue) return true;
    Atomics.store(this.#words, Header.SLEEP, LISTENING);
    if (!hasNews()) return true;
    this.#lower();
    return false;
  }

  /** The client goes on by itself, without having been called back. */
  stopListening(): void {
    this.#lower();
  }

  /** The doorbell's callback runs. None is due any more: LISTENING is not raised while one is. */
  calledBack(): void {
    Atomics.exchange(this.#words, Header.SLEEP, AWAKE);
    this.#callbackDue = false;
  }

  /** The swap, not a store: it tells whether a ringer came first and its callback is on the way. */
  #lower(): void {
    if (Atomics.exchange(this.#words, Header.SLEEP, AWAKE) === RUNG) this.#callbackDue = true;
  }
}
