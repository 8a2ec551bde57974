/**
 * The worker thread that serves through sideport. It blocks in `poll`: it has nothing else to do. The sockets are the
 * I/O thread's, which the main thread has started, and an Awakener lets the main thread end the loop.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Awakener, Events, Interest, Poll, type SharedAwakener, type SocketAddress, TcpListener } from 'sideport';
import { handlerFor } from './handler.js';
import type { Service, Traffic } from './server.js';
import { SideportConnection } from './sideport-connection.js';

/** What this thread tells the one that started it. */
export type WorkerMessage =
  | { readonly kind: 'listening'; readonly addresses: SocketAddress[]; readonly stop: SharedAwakener }
  | { readonly kind: 'refused'; readonly message: string; readonly code: string | undefined }
  | { readonly kind: 'traffic'; readonly traffic: Traffic };

const TRAFFIC_INTERVAL_MS = 500;
const STOP_TOKEN = 0;

class SideportServer {
  readonly #poll = new Poll();
  readonly #events = new Events();
  readonly #services: readonly Service[];
  readonly #listeners = new Map<number, { readonly listener: TcpListener; readonly service: Service }>();
  readonly #connections = new Map<number, SideportConnection>();
  readonly #traffic: Traffic = { accepted: 0, open: 0, bytesReceived: 0, bytesSent: 0 };
  #nextToken = STOP_TOKEN + 1;

  constructor(services: readonly Service[]) {
    this.#services = services;
  }

  run(tell: (message: WorkerMessage) => void): void {
    using poll = this.#poll;
    using stop = new Awakener(poll.registry, STOP_TOKEN);
    try {
      const addresses = this.#services.map((service) => this.#listen(service));
      tell({ kind: 'listening', addresses, stop: stop.share() });
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      return tell({ kind: 'refused', message, code });
    }
    let isNews = false;
    for (let dueMs = 0; this.#turn(); ) {
      isNews ||= !this.#events.isEmpty;
      if (!isNews || performance.now() < dueMs) continue;
      tell({ kind: 'traffic', traffic: this.#traffic });
      isNews = false;
      dueMs = performance.now() + TRAFFIC_INTERVAL_MS;
    }
    for (const { listener } of this.#listeners.values()) listener.close();
    for (const connection of this.#connections.values()) connection.close();
    tell({ kind: 'traffic', traffic: this.#traffic });
  }

  #listen(service: Service): SocketAddress {
    const listener = TcpListener.bind(service);
    const token = this.#nextToken++;
    this.#listeners.set(token, { listener, service });
    this.#poll.registry.register(listener, token, Interest.READABLE);
    return listener.localAddress();
  }

  /** One poll and what it brings. False when asked to stop. */
  #turn(): boolean {
    this.#poll.poll(this.#events, TRAFFIC_INTERVAL_MS);
    for (const event of this.#events) {
      if (event.token === STOP_TOKEN) return false;
      const listening = this.#listeners.get(event.token);
      if (listening) this.#accept(listening);
      const connection = this.#connections.get(event.token);
      connection?.handle();
      if (!connection?.closed) continue;
      this.#connections.delete(event.token);
      this.#traffic.open--;
    }
    return true;
  }

  /** One event may stand for many connections. */
  #accept({ listener, service }: { readonly listener: TcpListener; readonly service: Service }): void {
    for (let accepted = listener.accept(); accepted; accepted = listener.accept()) {
      const token = this.#nextToken++;
      const handler = handlerFor(service.protocol);
      const connection = new SideportConnection(this.#poll.registry, token, accepted.stream, handler, this.#traffic);
      this.#connections.set(token, connection);
      this.#traffic.accepted++;
      this.#traffic.open++;
    }
    const error = listener.takeError();
    if (error) process.emitWarning(`Accepting has paused: ${error.message}`);
  }
}

new SideportServer(workerData as Service[]).run((message) => parentPort?.postMessage(message));
