/** What this thread allocates, by function: V8's sampling heap profiler, which also counts what has been collected since. */
import { type HeapProfiler, Session } from 'node:inspector';

/** About every so many bytes one allocation is recorded, and stands for them. */
const INTERVAL_BYTES = 2048;

/** Whose code allocated: that of the innermost frame that belongs to somebody here; Node's own where there is none. */
export type Owner = 'sideport' | 'benchmark' | 'Node';

export interface Allocation {
  /** `name (file:line)`. */
  readonly where: string;
  readonly owner: Owner;
  readonly bytes: number;
}

/** What one thread allocated in so many milliseconds, the most first. */
export interface Profile {
  readonly elapsedMs: number;
  readonly allocations: readonly Allocation[];
}

export class HeapSampling {
  readonly #session = new Session();
  #begunMs = 0;

  constructor() {
    this.#session.connect();
  }

  begin(): void {
    const options = {
      samplingInterval: INTERVAL_BYTES,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    };
    this.#session.post('HeapProfiler.startSampling', options);
    this.#begunMs = performance.now();
  }

  end(): Profile {
    const elapsedMs = performance.now() - this.#begunMs;
    let head: HeapProfiler.SamplingHeapProfileNode | undefined;
    // The session is of this thread, so the answer comes within the call.
    this.#session.post('HeapProfiler.stopSampling', (error, answer) => {
      if (error) throw error;
      head = answer.profile.head;
    });
    const bytes = new Map<string, Allocation>();
    if (head) collect(head, 'Node', bytes);
    return { elapsedMs, allocations: [...bytes.values()].sort((left, right) => right.bytes - left.bytes) };
  }
}

function collect(node: HeapProfiler.SamplingHeapProfileNode, caller: Owner, into: Map<string, Allocation>): void {
  const { functionName, url, lineNumber } = node.callFrame;
  const owner = ownerOf(url) ?? caller;
  if (node.selfSize > 0) {
    const place = url === '' ? 'native' : `${fileOf(url)}:${lineNumber + 1}`;
    const where = `${functionName || '(anonymous)'} (${place})`;
    const key = `${where} ${owner}`;
    into.set(key, { where, owner, bytes: (into.get(key)?.bytes ?? 0) + node.selfSize });
  }
  for (const child of node.children) collect(child, owner, into);
}

function ownerOf(url: string): Owner | undefined {
  if (url.includes('/dist/src/')) return 'sideport';
  return url.includes('/dist/bench/') ? 'benchmark' : undefined;
}

function fileOf(url: string): string {
  return url.replace(/^.*\/dist\//, '');
}
