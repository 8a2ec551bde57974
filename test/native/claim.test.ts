/** Who closes a lent descriptor: the swap and the claim are one call, and a port that ends closes what it has claimed. */
import test from 'ava';
import { ADDRESS_BYTES, addon, backends } from '../util/port-driver.js';
import { openSocket } from '../util/port-sockets.js';

const [LENT, ADOPTED, CLOSED] = [5, 6, 0];

function isOpen(fd: number): boolean {
  return addon.socket.localAddress(fd, new Uint8Array(ADDRESS_BYTES)) === 0;
}

for (const backend of backends) {
  test.serial(`${backend}: a claimed descriptor that is never adopted is closed with the port`, (t) => {
    const port = addon.openPort(backend, 8, 8);
    const fd = openSocket(4);
    const words = new Int32Array(new SharedArrayBuffer(8));
    words[1] = LENT;
    t.true(port.claim(words, 1, LENT, ADOPTED, fd));
    t.is(words[1], ADOPTED);
    t.true(isOpen(fd));
    t.true(port.close());
    t.false(isOpen(fd));
  });

  test.serial(`${backend}: a descriptor that its client has closed, or another tenant's, is not claimed`, (t) => {
    const port = addon.openPort(backend, 8, 8);
    const descriptor = addon.socket.open(4);
    if (typeof descriptor === 'number') return t.fail(`open: ${descriptor}`);
    const { fd } = descriptor;
    const words = new Int32Array(new SharedArrayBuffer(4));
    for (const owner of [CLOSED, ADOPTED, LENT + 4]) {
      words[0] = owner;
      t.false(port.claim(words, 0, LENT, ADOPTED, fd));
      t.is(words[0], owner);
    }
    t.throws(() => port.claim(words, 1, LENT, ADOPTED, fd), { instanceOf: RangeError });
    t.true(port.close());
    t.true(isOpen(fd), 'the port has nothing to do with it');
    words[0] = LENT;
    t.false(port.claim(words, 0, LENT, ADOPTED, fd), 'nor has a port that is closed');
    descriptor.close();
    t.false(isOpen(fd));
  });
}
