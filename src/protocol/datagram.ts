/**
 * Datagrams in shared memory, both ways.
 *
 * Received: one per receive buffer, behind the header that the completion port writes (`DatagramHeader` in
 * `native/completion_port.h`).
 *
 * ```
 *  0 flags | 4 bytes of payload | 8 arrival, float64 ms | 16 sender: a wire address, or 1, length, name | 128 payload
 * ```
 *
 * Sent: *frames*, packed into send buffers, which grow as a stream's do (atomics/send-word.ts), so that many small datagrams
 * share a buffer. A datagram that does not fit one buffer goes on in frames of the next ones.
 *
 * ```
 *  0 bytes of payload | 4 flags (bits 0-7), bytes of name (bits 8-15) | 8 destination: a wire address
 *  32 name of a Unix socket, if any | payload | padding to a multiple of 4
 * ```
 *
 * Words are in native byte order.
 */
export const HEADER_BYTES = 128;

/** Byte offsets within a received datagram's header. */
export const Header = { FLAGS: 0, LENGTH: 4, ARRIVED_MS: 8, SOURCE: 16 } as const;

/** In `Header.FLAGS`: the datagram was longer than its buffer. */
export const TRUNCATED = 1;

export const FRAME_BYTES = 32;

/** Byte offsets within a frame. */
export const Frame = { LENGTH: 0, FLAGS: 4, ADDRESS: 8 } as const;

/** In `Frame.FLAGS`: the datagram goes on in the next frame, the first of the next buffer. */
export const CONTINUES = 1;

/** A wire address's family of a Unix-domain socket, whose name stands elsewhere. */
export const UNIX_FAMILY = 1;
export const UNIX_NAME_BYTES = 108;

/** The most that one UDP datagram carries: 65 535 less the headers of IPv4 and UDP. */
export const UDP_PAYLOAD_BYTES = 65_507;

/** Bytes that a frame takes in its buffer. */
export function frameBytes(nameBytes: number, payloadBytes: number): number {
  return (FRAME_BYTES + nameBytes + payloadBytes + 3) & ~3;
}
