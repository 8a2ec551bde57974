/** What the generator does: few and many connections, small and large messages, alone and pipelined. */

export interface Load {
  readonly label: string;
  readonly connections: number;
  readonly size: number;
  /** Messages under way per connection. */
  readonly depth: number;
  /** Messages a second over all connections, come what may; undefined: closed loop. */
  readonly rate?: number;
}

function load(connections: number, size: number, depth: number): Load {
  return { label: `${connections} connections x ${size} B, depth ${depth}`, connections, size, depth };
}

export const LOADS: readonly Load[] = [50, 500].flatMap((connections) =>
  [64, 4096].flatMap((size) => [1, 16].map((depth) => load(connections, size, depth))),
);

/** Well below saturation: what latency is when the server is not the bottleneck. */
export const OPEN_LOOP: Load = {
  label: 'open loop: 50 connections x 64 B, 10 000 messages a second',
  connections: 50,
  size: 64,
  depth: 1,
  rate: 10_000,
};
