/** sideport on the main thread: `sideport.js SIZE take|read wait|poll [SPIN_US]`. */
import { IoThread } from '../../../src/index.js';
import { nameIoThread } from '../../lib/thread-names.js';
import { announce, endByItself, mayGoOn, size } from '../serve.js';
import { type Reading, SideportEcho } from './sideport-echo.js';

const [, , , reading, waiting, spinUs = '0'] = process.argv as [
  string,
  string,
  string,
  Reading,
  'wait' | 'poll',
  string?,
];

endByItself();
const echo = new SideportEcho(
  nameIoThread(() => IoThread.default()),
  reading,
  size,
  { spinUs: Number(spinUs) },
);
announce([echo.port]);
if (waiting === 'wait') {
  for (;;) await echo.wait();
}
while (mayGoOn()) echo.block(1000);
process.exit();
