/** node:net on the main thread. */
import { type AddressInfo, createServer } from 'node:net';
import { announce, endByItself, size } from '../serve.js';
import { echo } from './echo-socket.js';

endByItself();
const server = createServer({ noDelay: true }, (socket) => echo(socket, size));
server.listen({ host: '127.0.0.1', port: 0, backlog: 511 }, () => announce([(server.address() as AddressInfo).port]));
