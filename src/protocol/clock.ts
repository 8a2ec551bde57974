/**
 * The clock that all threads share, and the completion port: the system's monotonic clock, in milliseconds, as `process.hrtime()` reads it.
 * Each thread's `performance.now()` counts from that thread's own start.
 */

function measureOffsetMs(): number {
  let best = { offsetMs: 0, uncertaintyMs: Number.POSITIVE_INFINITY };
  // The first calls are slow.
  for (let attempt = 0; attempt < 8; attempt++) {
    const beforeMs = performance.now();
    const [seconds, nanoseconds] = process.hrtime();
    const afterMs = performance.now();
    const uncertaintyMs = afterMs - beforeMs;
    if (uncertaintyMs >= best.uncertaintyMs) continue;
    best = { offsetMs: seconds * 1e3 + nanoseconds / 1e6 - (beforeMs + afterMs) / 2, uncertaintyMs };
  }
  return best.offsetMs;
}

const offsetMs = measureOffsetMs();

/** A time of this thread's `performance.now()` on the shared clock. */
export function toShared(localMs: number): number {
  return localMs + offsetMs;
}

/** A time on the shared clock as this thread's `performance.now()`. */
export function toLocal(sharedMs: number): number {
  return sharedMs - offsetMs;
}
