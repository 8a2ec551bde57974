/**
 * The I/O thread's comlink service, as its clients call it.
 */
import type { BroadcastChannel } from 'node:worker_threads';
import type { Remote, wrap } from 'comlink';
import { fail } from '../../errors.js';
import type { IoThreadStats } from '../../protocol/control.js';
import type { Client } from '../link/client.js';

/** The methods that the service exposes (`worker/service.ts`). */
export interface ServiceMethods {
  stats(): IoThreadStats;
  close(): void;
}

export interface RemoteService {
  stats(): Promise<IoThreadStats>;
  close(): Promise<void>;
}

/** Calls go over `channel`; each wakes the port, which otherwise would not look at it. */
export function connectService(channel: BroadcastChannel, client: Client): RemoteService {
  const endpoint = {
    postMessage: (message: unknown) => {
      channel.postMessage(message);
      client.wakeForControl();
    },
    addEventListener: channel.addEventListener.bind(channel),
    removeEventListener: channel.removeEventListener.bind(channel),
  };
  channel.unref();
  // Held: a proxy collected during a call would leave its promise pending for ever.
  let proxy: Remote<ServiceMethods> | undefined;
  let pending = 0;

  /** With the first call: starting does without it. */
  async function connect(): Promise<Remote<ServiceMethods>> {
    const comlink = await import('comlink');
    proxy ??= comlink.wrap<ServiceMethods>(endpoint as Parameters<typeof wrap>[0]) as Remote<ServiceMethods>;
    return proxy;
  }

  /** A pending call keeps the thread alive, and ends with the I/O thread if that does not answer. */
  async function call<T>(invoke: (proxy: Remote<ServiceMethods>) => Promise<T>): Promise<T> {
    client.checkAlive();
    if (pending++ === 0) channel.ref();
    let forgetEnd = () => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        forgetEnd = client.onGone(() => reject(fail('ERR_SIDEPORT_IO_THREAD_GONE')));
        connect()
          .then(async (proxy) => resolve(await invoke(proxy)))
          .catch(reject);
      });
    } finally {
      forgetEnd();
      if (--pending === 0) channel.unref();
    }
  }

  return { stats: () => call((proxy) => proxy.stats()), close: () => call((proxy) => proxy.close()) };
}
