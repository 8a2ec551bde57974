/** Echo on a socket of node:net, with its backpressure: what several of the peers do, on whatever thread. */
import type { Socket } from 'node:net';
import { Handler } from '../handler.js';

export function echo(socket: Socket, size: number): void {
  const handler = new Handler(size);
  socket.on('data', (chunk) => {
    handler.see(chunk as Buffer);
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  // The generator ends its connections with a reset.
  socket.on('error', () => socket.destroy());
}
