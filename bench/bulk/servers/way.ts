/** What a server of the comparison is told: `SERVER.js receive|send BYTES`, from its own point of view. */
export const sends = process.argv[2] === 'send';
export const byteCount = Number(process.argv[3]);

/** As much as one write is given. */
export const chunk = new Uint8Array(64 * 1024).fill(120);
