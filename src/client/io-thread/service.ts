/**
 * The I/O thread's comlink service, as its clients call it.
 */
import type { BroadcastChannel } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
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
  // Held by the closures below: a proxy collected during a call would leave its promise pending for ever.
  const proxy = wrap<ServiceMethods>(endpoint as Parameters<typeof wrap>[0]) as Remote<ServiceMethods>;
  channel.unref();
  let pending = 0;

  /** A pending call keeps the thread alive, and ends with the I/O thread if that does not answer. */
  async function call<T>(invoke: () => Promise<T>): Promise<T> {
    client.checkAlive();
    if (pending++ === 0) channel.ref();
    let forgetEnd = () => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        forgetEnd = client.onGone(() => reject(fail('ERR_SIDEPORT_IO_THREAD_GONE')));
        invoke().then(resolve, reject);
      });
    } finally {
      forgetEnd();
      if (--pending === 0) channel.unref();
    }
  }

  return { stats: () => call(() => proxy.stats()), close: () => call(() => proxy.close()) };
}
