/** sideport on the main thread: `sideport.js SIZE take|read wait|poll`. */
import { IoThread } from '../../../src/index.js';
import { nameIoThread } from '../../lib/thread-names.js';
import { announce, endByItself, mayGoOn, size } from '../serve.js';
import { type Reading, SideportEcho } from './sideport-echo.js';

const [, , , reading, waiting] = process.argv as [string, string, string, Reading, 'wait' | 'poll'];

endByItself();
const echo = new SideportEcho(
  nameIoThread(() => IoThread.default()),
  reading,
  size,
);
announce([echo.port]);
if (waiting === 'wait') {
  for (;;) await echo.wait();
}
while (mayGoOn()) echo.block(1000);
process.exit();
