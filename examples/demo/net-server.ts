/** The same servers on plain node:net, on the thread that calls. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { SocketAddress } from 'sideport';
import { type Handler, handlerFor, type Reply } from './handler.js';
import type { RunningServer, Service } from './server.js';

export async function serveThroughNet(services: readonly Service[]): Promise<RunningServer> {
  const sockets = new Set<Socket>();
  const servers = services.map(({ protocol }) =>
    createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      serve(socket, handlerFor(protocol));
    }),
  );
  const addresses = await Promise.all(servers.map((server, at) => listen(server, services[at] as Service)));
  const stop = async () => {
    for (const server of servers) server.close();
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.map((server) => once(server, 'close')));
  };
  return { addresses, stop };
}

async function listen(server: Server, { host, port }: Service): Promise<SocketAddress> {
  server.listen(port, host);
  await once(server, 'listening');
  return server.address() as AddressInfo as SocketAddress;
}

function serve(socket: Socket, handler: Handler): void {
  const send = ({ bytes, last }: Reply) => {
    if (bytes.length > 0 && !socket.write(bytes)) socket.pause();
    if (last) socket.end();
  };
  socket.on('drain', () => socket.resume());
  socket.on('data', (bytes) => {
    if (!socket.writableEnded) send(handler.receive(bytes));
  });
  socket.on('end', () => {
    if (!socket.writableEnded) send(handler.end());
  });
  // Its peer went away; the socket closes by itself.
  socket.on('error', () => {});
}
