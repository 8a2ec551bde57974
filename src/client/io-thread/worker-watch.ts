/**
 * Whether a worker has ended, asked by a thread that does not yield to its event loop: `exit` and `error` events would come
 * too late for it.
 *
 * The worker is given one end of a message channel. When its thread ends, for whatever reason, Node closes that end, and a
 * closed channel's other end cannot be transferred any more. So an end that still goes through a transfer, to ourselves, belongs
 * to a worker that lives.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

export class WorkerWatch {
  /** Goes into the worker's `workerData` and `transferList`. */
  readonly workerEnd: MessagePort;
  readonly #mirror = new MessageChannel();
  #ourEnd: MessagePort;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#ourEnd = port1;
    this.workerEnd = port2;
  }

  hasEnded(): boolean {
    // A receive is what makes a port see that its other end was closed.
    receiveMessageOnPort(this.#ourEnd);
    try {
      this.#mirror.port1.postMessage(this.#ourEnd, [this.#ourEnd]);
    } catch {
      return true;
    }
    this.#ourEnd = receiveMessageOnPort(this.#mirror.port2)?.message as MessagePort;
    return false;
  }

  close(): void {
    this.#ourEnd.close();
    this.#mirror.port1.close();
  }
}
