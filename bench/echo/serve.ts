/** What every echo server in JavaScript does besides echoing: `SERVER.js SIZE [...]`. */

/** The message size, which the handler needs. */
export const size = Number(process.argv[2]);

const LIMIT_MS = 120_000;
const startedMs = performance.now();
const parent = process.ppid;

/** One line of JSON, as the servers in C print it. `pids`: every process whose CPU time counts. */
export function announce(ports: readonly number[], pids: readonly number[] = [process.pid]): void {
  console.log(JSON.stringify({ ports, pids }));
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
