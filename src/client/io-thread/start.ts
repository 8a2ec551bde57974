/**
 * Starts an I/O thread, synchronously: the worker is made, and the caller sleeps until its port is open.
 */
import type { Worker, WorkerOptions } from 'node:worker_threads';
import { awaitChange, bootPortId } from '../../atomics/flag.js';
import { requestStop } from '../../atomics/io-sleep.js';
import { errorCodes, fail, type SideportErrorCode } from '../../errors.js';
import { newIoThreadWorker } from '../../io-thread-worker.js';
import { type Addon, addonPath, denial } from '../../native.js';
import { IoHeader } from '../../protocol/client-memory.js';
import { Boot, BootState, type IoThreadConfiguration, type IoThreadData } from '../../protocol/control.js';
import { WakeReason } from '../../protocol/port-records.js';
import { WorkerWatch } from './worker-watch.js';

const SLICE_MS = 100;
const TIMEOUT_MS = 10_000;
const FAILURE_BYTES = 2048;
/**
 * The I/O thread leaves hardly any garbage, but sources live as long as their connections: many opened in a row let V8 grow the young
 * generation to tens of megabytes, which it keeps.
 */
const YOUNG_GENERATION_MB = 3;

/** A running I/O thread, on the thread that started it. */
export interface StartedIoThread {
  readonly portId: number;
  readonly worker: Worker;
}

export interface WorkerSettings {
  readonly workerUrl?: URL | undefined;
  readonly resourceLimits?: WorkerOptions['resourceLimits'] | undefined;
}

/** @throws ERR_SIDEPORT_START_FAILED, ERR_SIDEPORT_BACKEND, ERR_SIDEPORT_PERMISSION, ERR_SIDEPORT_TIMEOUT */
export function startIoThread(addon: Addon, options: IoThreadConfiguration, settings: WorkerSettings): StartedIoThread {
  const watch = new WorkerWatch();
  const data: IoThreadData = {
    boot: new SharedArrayBuffer(4 * Boot.WORDS),
    ioHeader: new SharedArrayBuffer(4 * IoHeader.WORDS),
    failure: new SharedArrayBuffer(FAILURE_BYTES),
    watch: watch.workerEnd,
    options: { ...options, addonPath: options.addonPath ?? addonPath() },
  };
  const worker = newWorker(data, settings);
  // The I/O thread serves; it is no reason for the process to go on.
  worker.unref();
  // Its end reaches every client by itself. Without a listener an error would also end this thread.
  worker.on('error', (error) => process.emitWarning(`The I/O thread failed: ${error.stack}`, 'SideportWarning'));
  const portId = awaitBoot(data, worker, watch);
  stopAtExit(addon, worker, portId, new Int32Array(data.ioHeader));
  return { portId, worker };
}

function newWorker(workerData: IoThreadData, { workerUrl, resourceLimits }: WorkerSettings): Worker {
  const options: WorkerOptions = {
    name: 'sideport I/O',
    workerData,
    transferList: [workerData.watch],
    // No preloads of this process: they would double the start-up time and could load sideport itself.
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: '' },
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB, ...resourceLimits },
  };
  try {
    return newIoThreadWorker(options, workerUrl);
  } catch (error) {
    throw startError(error as NodeJS.ErrnoException);
  }
}

function awaitBoot(data: IoThreadData, worker: Worker, watch: WorkerWatch): number {
  const boot = new Int32Array(data.boot);
  const untilMs = performance.now() + TIMEOUT_MS;
  try {
    for (;;) {
      // Asked first: what a worker announced before its end is seen after it.
      const ended = watch.hasEnded();
      const state = awaitChange(boot, Boot.STATE, BootState.STARTING, ended ? 0 : SLICE_MS);
      if (state === BootState.READY) return bootPortId(boot);
      if (state === BootState.FAILED) throw startError(failureOf(data.failure));
      if (ended) throw fail('ERR_SIDEPORT_START_FAILED', 'The I/O thread ended before it had opened its port');
      if (performance.now() < untilMs) continue;
      void worker.terminate();
      throw fail('ERR_SIDEPORT_TIMEOUT', 'The I/O thread did not start in time');
    }
  } finally {
    watch.close();
  }
}

function failureOf(failure: SharedArrayBuffer): { message: string; code?: string } {
  // TextDecoder refuses shared memory.
  const text = Buffer.from(new Uint8Array(failure)).toString().replace(/\0+$/, '');
  return JSON.parse(text) as { message: string; code?: string };
}

/** What kept the I/O thread from starting, as one of our own errors. */
export function startError({ message, code }: { message: string; code?: string | undefined }): Error {
  const denied = denial({ message, code });
  if (denied) return denied;
  if ((errorCodes as readonly string[]).includes(code ?? '')) return fail(code as SideportErrorCode, message);
  return fail('ERR_SIDEPORT_START_FAILED', message);
}

/**
 * When this thread ends, Node joins the worker, which may have up to a slice to sleep. Asking it to stop makes that short;
 * where this does not run (this thread is terminated), the slice is the limit.
 */
function stopAtExit(addon: Addon, worker: Worker, portId: number, ioHeader: Int32Array): void {
  const stop = () => {
    requestStop(ioHeader);
    addon.wakePort(portId, WakeReason.CONTROL);
  };
  if (stops.size === 0) process.on('exit', stopAll);
  stops.add(stop);
  worker.once('exit', () => {
    stops.delete(stop);
    if (stops.size === 0) process.off('exit', stopAll);
  });
}

/** One listener for all: Node warns of a leak from eleven on. */
const stops = new Set<() => void>();

function stopAll(): void {
  for (const stop of stops) stop();
}
