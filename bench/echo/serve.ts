/** What every echo server in JavaScript does besides echoing: `SERVER.js SIZE [...]`. */

/** The message size, which the handler needs. */
export const size = Number(process.argv[2]);

const LIMIT_MS = 120_000;
const PERIOD_MS = 100;
const startedMs = performance.now();
const parent = process.ppid;

/** One line of JSON, as the servers in C print it. `pids`: every process whose CPU time counts. */
export function announce(ports: readonly number[], pids: readonly number[] = [process.pid]): void {
  console.log(JSON.stringify({ ports, pids }));
  disturb(process.env.BENCH_DISTURB);
}

/**
 * Keeps the thread that announces, the main one, from its event loop for a part of every 100 ms: `blocked:90` sleeps in
 * Atomics.wait for 90 ms, `burning:90` computes.
 */
function disturb(how: string | undefined): void {
  const [kind = '', busyMs = '0'] = (how ?? '').split(':');
  if (Number(busyMs) === 0) return;
  const never = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => {
    if (kind === 'blocked') Atomics.wait(never, 0, 0, Number(busyMs));
    else for (const untilMs = performance.now() + Number(busyMs); performance.now() < untilMs; );
  }, PERIOD_MS);
}

/** The end of its parent ends a server, and so does a generous time limit. */
export function endByItself(): void {
  process.stdin.on('end', () => process.exit()).resume();
  setTimeout(() => process.exit(), LIMIT_MS).unref();
}

/** The same for a thread that blocks, to be asked now and then. */
export function mayGoOn(): boolean {
  return process.ppid === parent && performance.now() - startedMs < LIMIT_MS;
}
