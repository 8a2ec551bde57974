/**
 * The control path on the I/O thread: attaching clients, the comlink service, the end of clients.
 */
import { BroadcastChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { expose } from 'comlink';
import { announce } from '../../atomics/flag.js';
import type { IoThreadConfiguration } from '../../protocol/control.js';
import { Answer, type AttachAnswer, type AttachRequest, clientChannel, portChannel } from '../../protocol/control.js';
import { CloseMode } from '../../protocol/port-records.js';
import type { Selector } from '../loop/selector.js';
import type { Service } from './service.js';
import { takeSubmissions } from './submissions.js';

export class Control {
  readonly #selector: Selector;
  readonly #configuration: IoThreadConfiguration;
  readonly #ioHeader: Int32Array;
  readonly #service: Service;
  readonly #requests: BroadcastChannel;
  readonly #channels = new Map<number, BroadcastChannel>();

  constructor(selector: Selector, configuration: IoThreadConfiguration, ioHeader: Int32Array, service: Service) {
    this.#selector = selector;
    this.#configuration = configuration;
    this.#ioHeader = ioHeader;
    this.#service = service;
    this.#requests = new BroadcastChannel(portChannel(selector.port.native.id));
    // What comes while the event loop runs is delivered there, listener or not, and is not in the queue any more.
    this.#requests.onmessage = (event) => this.#attach((event as MessageEvent).data as AttachRequest);
  }

  /** Handles what waits, then lets the event loop run once: comlink's listeners and its answers need it. */
  async handle(): Promise<void> {
    // In this order: a client that has died posted its request before, so it is among those answered here. In the other
    // order one that dies in between would be attached after its death was told, and never forgotten.
    const ended = this.#selector.port.native.takeDeadClients();
    for (let request = this.#nextRequest(); request; request = this.#nextRequest()) this.#attach(request);
    for (const clientId of ended) this.#clientEnded(clientId);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The port was withdrawn: whoever found it before that asks in vain. */
  refuse(): void {
    for (let request = this.#nextRequest(); request; request = this.#nextRequest()) {
      const channel = new BroadcastChannel(clientChannel(request.clientId));
      answerWith(channel, { kind: 'gone' }, request);
      channel.close();
    }
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#requests.close();
  }

  #nextRequest(): AttachRequest | undefined {
    // Node's types do not know that a BroadcastChannel is taken too; its documentation does.
    const requests = this.#requests as unknown as MessagePort;
    return receiveMessageOnPort(requests)?.message as AttachRequest | undefined;
  }

  #attach(request: AttachRequest): void {
    const { clientId } = request;
    const channel = new BroadcastChannel(clientChannel(clientId));
    answerWith(channel, this.#welcome(clientId), request);
    expose(this.#service, channel as unknown as Parameters<typeof expose>[1]);
    this.#channels.set(clientId, channel);
  }

  #welcome(clientId: number): AttachAnswer {
    try {
      const client = this.#selector.attach(clientId);
      const { maxSources, acceptAhead, sendHighWaterBytes, sendLowWaterBytes, maxUnreadBytes } = this.#configuration;
      return {
        kind: 'attached',
        memory: client.memory,
        geometry: client.geometry,
        segments: client.describe(),
        ioHeader: this.#ioHeader.buffer as SharedArrayBuffer,
        backend: this.#selector.port.native.backend,
        limits: { maxSources, acceptAhead, sendHighWaterBytes, sendLowWaterBytes, maxUnreadBytes },
      };
    } catch (error) {
      return { kind: 'refused', message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The thread has ended: what it published before is still taken, what it wrote is flushed, the rest reclaimed. */
  #clientEnded(clientId: number): void {
    this.#channels.get(clientId)?.close();
    this.#channels.delete(clientId);
    const session = this.#selector.session(clientId);
    if (!session) return;
    takeSubmissions(session, Number.POSITIVE_INFINITY);
    session.drain(CloseMode.FLUSHED);
  }
}

/** The message precedes the word: whoever sees the word finds the message. */
function answerWith(channel: BroadcastChannel, message: AttachAnswer, { answer }: AttachRequest): void {
  channel.postMessage(message);
  announce(new Int32Array(answer), 0, Answer.ANSWERED);
}
