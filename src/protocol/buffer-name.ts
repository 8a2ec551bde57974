/**
 * Buffers and their names. A client's bytes live in *segments*, each a SharedArrayBuffer cut into buffers of one
 * size. A name is (segment, index) in one int32, so that a pool can grow by segments while
 * every name given out stays valid; shrinking gives pages back, never names.
 *
 * Who owns a buffer:
 *
 * ```
 *   receive:  pool (I/O thread) ──DATA──► reader (client) ──RECYCLE──► pool
 *   send:     pool (client) ──SEND──► sender (I/O thread) ──SENT──► pool
 * ```
 *
 * Both edges are entries of a ring: publishing the entry hands the buffer over, with its contents.
 */
const INDEX_BITS = 20;

export const MAX_BUFFERS_PER_SEGMENT = 1 << INDEX_BITS;
export const MAX_SEGMENTS = 1 << (31 - INDEX_BITS);

export function bufferName(segment: number, index: number): number {
  return (segment << INDEX_BITS) | index;
}

export function segmentOf(name: number): number {
  return name >>> INDEX_BITS;
}

export function indexOf(name: number): number {
  return name & (MAX_BUFFERS_PER_SEGMENT - 1);
}

/** What a segment's buffers are for. */
export type SegmentUse = 'receive' | 'send';

/** A segment as it is announced to the client; its position in the announcement is its number. */
export interface SegmentDescription {
  readonly use: SegmentUse;
  readonly memory: SharedArrayBuffer;
  readonly bufferSize: number;
  readonly bufferCount: number;
}
