/** What is aimed at: every target of every comparison, in the order of the summary. Told as met or missed, never enforced. */

export interface Target {
  /** The comparison that measures it. */
  readonly comparison: string;
  readonly what: string;
  /** The target is a lower or an upper bound. */
  readonly bound: '>=' | '<=';
  readonly value: number;
  /** Behind the number; empty for a ratio. */
  readonly unit: string;
  /** Where it was missed so far: the section of docs/performance.md that tells what remains, and why. */
  readonly why?: string;
}

/** Missed so far. */
function because(why: string, target: Target): Target {
  return { ...target, why };
}

function atLeast(comparison: string, what: string, value: number): Target {
  return { comparison, what, bound: '>=', value, unit: '' };
}

function atMost(comparison: string, what: string, value: number, unit = ''): Target {
  return { comparison, what, bound: '<=', value, unit };
}

export const TARGETS = {
  exit: atMost('exit', 'slowest path', 200, ' ms'),

  awakenerSameCore: because(
    'Waking a thread',
    atMost('awakener', 'thread to thread, p50 against eventfd + futex, same core', 1.15),
  ),
  awakenerTwoCores: because(
    'Waking a thread',
    atMost('awakener', 'thread to thread, p50 against eventfd + futex, two cores', 1.15),
  ),
  ioThreadSameCore: because(
    'Waking a thread',
    atMost('awakener', 'sleeping I/O thread, p50 against eventfd + futex, same core', 1.15),
  ),
  ioThreadTwoCores: because(
    'Waking a thread',
    atMost('awakener', 'sleeping I/O thread, p50 against eventfd + futex, two cores', 1.15),
  ),

  throughput: atLeast('echo', 'throughput, take and wait on the main thread, against node:net', 1.8),
  singleLoad: atLeast('echo', 'the same in the worst single load', 1.1),
  readThroughput: atLeast('echo', 'throughput, read instead of take, against node:net', 1.6),
  uringThroughput: because(
    'Against a server in C, and the CPU of the main thread',
    atLeast('echo', 'throughput, take and wait, against io_uring in C', 0.95),
  ),
  processCpu: atMost('echo', 'CPU of all threads per message, against node:net', 0.6),
  mainCpu: because(
    'Against a server in C, and the CPU of the main thread',
    atMost('echo', 'CPU of the main thread per message, against node:net', 0.08),
  ),
  workersRelay: atLeast('echo', 'throughput, handler in 2 workers, against worker fed by postMessage', 2.5),
  workersTransfer: atLeast('echo', 'throughput, handler in 2 workers, against socket transfer', 1.3),
  workersCluster: atLeast('echo', 'throughput, handler in 2 workers, against cluster of 2', 1.3),
  sharedRelay: atLeast('echo', 'throughput, 2 workers share a listener, against worker fed by postMessage', 2.5),
  sharedTransfer: atLeast('echo', 'throughput, 2 workers share a listener, against socket transfer', 1.3),
  sharedCluster: atLeast('echo', 'throughput, 2 workers share a listener, against cluster of 2', 1.3),

  few: because('One connection', atMost('few', 'one connection x 64 B, p50 against node:net', 0.6)),
  bulk: because(
    'Why sending a large amount is not faster',
    atLeast('bulk', '1 GiB over one connection, mean of both ways, against node:net', 1.5),
  ),

  latencyBlocked: atMost('latency', 'p99, handler in a worker, main thread blocked 90 %, against an idle one', 1.3),
  latencyCluster: because(
    'A sparse load',
    atMost('latency', 'p99, handler in a worker, main thread burning 90 %, against cluster', 0.8),
  ),
  latencyRelay: atMost('latency', 'p99, handler in a worker, main thread burning 90 %, against the relay', 0.8),

  idle: because(
    'Memory of an idle connection',
    atMost('idle', 'resident memory per idle connection, against node:net', 0.12),
  ),
  crowd: atMost('crowd', 'CPU per message of 50 connections beside 10 000 idle ones, against none', 1.05),

  udpDefault: atMost('udp', 'lost at 50 000/s, default options, reader blocked half the time', 0, ' %'),
  udpSystem: because(
    'Datagrams, and what the kernel holds',
    atMost('udp', "lost at 50 000/s, the system's SO_RCVBUF, reader blocked half the time", 0, ' %'),
  ),

  timer: atMost('timer', 'p99 of lateness in a worker, against setTimeout on a main thread asleep half the time', 0.2),

  stalledSharer: atMost('transfer', 'until a stalled sharer of a listener is passed over', 10, ' ms'),

  heapIoThread: atMost('heap', 'allocated per message by the I/O thread', 1, ' B'),
  heapRead: because(
    'What a message allocates',
    atMost('heap', 'allocated per message by sideport on the main thread, read', 1, ' B'),
  ),
  heapTake: because(
    'What a message allocates',
    atMost('heap', 'allocated per message by sideport on the main thread, take', 1, ' B'),
  ),
} as const satisfies Record<string, Target>;
