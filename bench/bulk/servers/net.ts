/** node:net on the main thread. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { announce, endByItself } from '../../echo/serve.js';
import { byteCount, chunk, sends } from './way.js';

endByItself();
const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  if (sends) send(socket);
  else socket.resume();
});
server.listen({ host: '127.0.0.1', port: 0 }, () => announce([(server.address() as AddressInfo).port]));

function send(socket: Socket): void {
  let left = byteCount;
  const fill = () => {
    while (left > 0) {
      const length = Math.min(left, chunk.length);
      left -= length;
      if (!socket.write(length === chunk.length ? chunk : chunk.subarray(0, length))) return;
    }
    socket.end();
  };
  socket.on('drain', fill);
  fill();
}
