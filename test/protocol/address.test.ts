import test from 'ava';
import { decodeAddress, encodeAddress, isIpAddress } from '../../src/protocol/address.js';

for (const [host, shown] of [
  ['0.0.0.0', '0.0.0.0'],
  ['127.0.0.1', '127.0.0.1'],
  ['255.254.253.252', '255.254.253.252'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:db8::1', '2001:db8::1'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
  ['fe80::1%3', 'fe80::1%3'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
] as const) {
  test(`${host} crosses the wire as ${shown}`, (t) => {
    t.true(isIpAddress(host));
    for (const port of [0, 1, 80, 65_535]) {
      const bytes = encodeAddress(host, port);
      t.is(bytes.length, 24);
      t.deepEqual(decodeAddress(bytes), { address: shown, family: host.includes(':') ? 'IPv6' : 'IPv4', port });
    }
  });
}

test('names, halves and scopes by name are no addresses', (t) => {
  for (const host of ['localhost', '1.2.3', '1.2.3.4.5', ':::', 'fe80::1%eth0', 'fe80::1%', '::1%1234567890', '']) {
    t.false(isIpAddress(host), host);
  }
});

test('an address without a family is none', (t) => {
  t.is(decodeAddress(new Uint8Array(24)), undefined);
});
