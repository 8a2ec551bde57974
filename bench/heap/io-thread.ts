/** The I/O thread's file, with a profiler beside it: begins and ends when asked over the channel, and answers with the profile. */
import { BroadcastChannel } from 'node:worker_threads';
import { CHANNEL } from './kinds.js';
import { HeapSampling } from './sampling.js';

const sampling = new HeapSampling();
const channel = new BroadcastChannel(CHANNEL);
channel.unref();
channel.onmessage = (event) => {
  const { data } = event as { data: 'begin' | 'end' };
  if (data === 'begin') sampling.begin();
  channel.postMessage(data === 'begin' ? 'begun' : sampling.end());
};

await import('../../src/worker/main.js');
