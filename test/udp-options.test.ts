import { networkInterfaces } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { Interest, type SystemError, UdpSocket } from '../src/index.js';
import { bindUdp, drainTo, endpointOf, LOOPBACK, receive, sendAll, UdpPair } from './util/datagrams.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows, underWine, unless } from './util/platform.js';
import { openDatagramSocket, withFileDescriptor } from './util/port-sockets.js';

const ioThread = ioThreadFor(test);
const GROUP = '239.77.66.55';
const GROUP_V6 = 'ff02::7766';

const hasIpv6 = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .some(({ family, internal }) => family === 'IPv6' && internal);

/** As other systems name it, or as Windows does, which has one name, WSAEINVAL, for much that is wrong with a membership. */
function refused(t: ExecutionContext, call: () => void, name: string): void {
  const { code } = t.throws(call) as SystemError;
  t.true(code === name || (onWindows && code === 'EINVAL'), code);
}

test('every option reads back what was set', (t) => {
  using socket = bindUdp();
  for (const on of [true, false]) {
    socket.setBroadcast(on);
    t.is(socket.getBroadcast(), on);
    socket.multicast.setLoop(on);
    t.is(socket.multicast.getLoop(), on);
  }
  t.is(socket.multicast.getTtl(), 1, 'the default');
  for (const ttl of [0, 1, 64, 255]) {
    socket.multicast.setTtl(ttl);
    t.is(socket.multicast.getTtl(), ttl);
  }
  for (const ttl of [1, 64, 255]) {
    socket.setTtl(ttl);
    t.is(socket.getTtl(), ttl);
  }
  // A kernel may round, cap or, as Linux does, double what is asked for; but more is more.
  socket.setReceiveBufferSize(16_384);
  const small = socket.getReceiveBufferSize();
  socket.setReceiveBufferSize(131_072);
  t.true(small >= 16_384 && socket.getReceiveBufferSize() > small);
  socket.setSendBufferSize(16_384);
  const smallSend = socket.getSendBufferSize();
  socket.setSendBufferSize(131_072);
  t.true(smallSend >= 16_384 && socket.getSendBufferSize() > smallSend);
});

test('a socket has a receive buffer of 4 MiB, or what the system gives of it, unless another size is asked for', (t) => {
  using own = bindUdp();
  using systems = UdpSocket.bind({ host: LOOPBACK, port: 0, receiveBufferSize: 0 });
  using small = UdpSocket.bind({ host: LOOPBACK, port: 0, receiveBufferSize: 16_384 });
  const sizes = [small, systems, own].map((socket) => socket.getReceiveBufferSize());
  t.deepEqual(
    sizes,
    [...new Set(sizes)].sort((a, b) => a - b),
    'each has more than the one before',
  );
  for (const receiveBufferSize of [-1, 0.5, 2 ** 31, Number.NaN, '4096' as unknown as number]) {
    t.throws(() => UdpSocket.bind({ host: LOOPBACK, port: 0, receiveBufferSize }), {
      code: 'ERR_SIDEPORT_INVALID_ARG',
    });
  }
});

test('four hundred datagrams wait in the kernel while nobody receives', (t) => {
  using pair = new UdpPair(ioThread);
  using late = bindUdp();
  for (let number = 0; number < 400; number++) {
    sendAll(pair.poll, pair.a, Buffer.alloc(256, number % 251), endpointOf(late));
  }
  // Sent by the same socket after them: what comes before it has been delivered.
  pair.send('the end');
  pair.receive(1);
  pair.poll.registry.register(late, 3, Interest.READABLE);
  const got = receive(pair.poll, late, 400);
  t.deepEqual(
    got.map(({ text }) => text.charCodeAt(0)),
    Array.from({ length: 400 }, (_, number) => number % 251),
  );
});

test('every option of an IPv6 socket reads back what was set', (t) => {
  using socket = bindUdp('::1');
  for (const on of [true, false]) {
    socket.multicast.setLoop(on);
    t.is(socket.multicast.getLoop(), on);
  }
  for (const ttl of [1, 64, 255]) {
    socket.multicast.setTtl(ttl);
    t.is(socket.multicast.getTtl(), ttl);
    socket.setTtl(ttl);
    t.is(socket.getTtl(), ttl);
  }
});

test('an option out of range is refused', (t) => {
  using socket = bindUdp();
  for (const ttl of [-1, 256, 1.5]) {
    t.throws(() => socket.multicast.setTtl(ttl), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  for (const ttl of [0, 256]) t.throws(() => socket.setTtl(ttl), { code: 'EINVAL' });
  for (const size of [0, -1, 2 ** 31]) {
    t.throws(() => socket.setReceiveBufferSize(size), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
});

test('a socket bound for IPv6 alone refuses IPv4, another one hears it', (t) => {
  using only = UdpSocket.bind({ host: '::', port: 0, ipv6Only: true });
  using both = UdpSocket.bind({ host: '::', port: 0 });
  t.true(only.isIpv6Only());
  t.false(both.isIpv6Only());
  using pair = new UdpPair(ioThread);
  pair.poll.registry.register(both, 3, 1);
  sendAll(pair.poll, pair.a, Buffer.from('four'), { host: LOOPBACK, port: both.localAddress().port });
  const [got] = receive(pair.poll, both, 1);
  t.is(got?.received.from.address, `::ffff:${LOOPBACK}`);
});

unless(onWindows, 'Windows has no SO_REUSEPORT')('a port is shared by those that all say so', (t) => {
  using first = UdpSocket.bind({ host: LOOPBACK, port: 0, reusePort: true });
  const { port } = first.localAddress();
  using second = UdpSocket.bind({ host: LOOPBACK, port, reusePort: true });
  t.is(second.localAddress().port, port);
  t.throws(() => UdpSocket.bind({ host: LOOPBACK, port }), { code: 'EADDRINUSE' });
});

test('members of a group hear what is sent to it until they leave', (t) => {
  using pair = new UdpPair(ioThread);
  using member = UdpSocket.bind({ host: '0.0.0.0', port: 0, reuseAddress: true });
  const to = { host: GROUP, port: member.localAddress().port };
  pair.poll.registry.register(member, 3, 1);
  pair.a.multicast.setInterface(LOOPBACK);
  member.multicast.join({ group: GROUP, interface: LOOPBACK });
  refused(t, () => member.multicast.join({ group: GROUP, interface: LOOPBACK }), 'EADDRINUSE');
  sendAll(pair.poll, pair.a, Buffer.from('to all'), to);
  t.is(receive(pair.poll, member, 1)[0]?.text, 'to all');
  member.multicast.leave({ group: GROUP, interface: LOOPBACK });
  sendAll(pair.poll, pair.a, Buffer.from('gone'), to);
  t.deepEqual(drainTo(pair), []);
  t.is(member.recvFrom(Buffer.alloc(9)), null);
  refused(t, () => member.multicast.leave({ group: GROUP, interface: LOOPBACK }), 'EADDRNOTAVAIL');
});

const sourceSpecific = unless(underWine, 'Wine takes the source of a membership for its interface');
sourceSpecific('a source-specific member hears its source alone', (t) => {
  using pair = new UdpPair(ioThread);
  using member = UdpSocket.bind({ host: '0.0.0.0', port: 0, reuseAddress: true });
  const to = { host: '232.1.2.3', port: member.localAddress().port };
  pair.poll.registry.register(member, 3, 1);
  pair.a.multicast.setInterface(LOOPBACK);
  const wanted = { group: to.host, interface: LOOPBACK, source: LOOPBACK };
  member.multicast.join({ ...wanted, source: '192.0.2.77' });
  sendAll(pair.poll, pair.a, Buffer.from('of another source'), to);
  t.deepEqual(drainTo(pair), []);
  t.is(member.recvFrom(Buffer.alloc(99)), null);
  member.multicast.join(wanted);
  sendAll(pair.poll, pair.a, Buffer.from('of the source'), to);
  t.is(receive(pair.poll, member, 1)[0]?.text, 'of the source');
  member.multicast.leave(wanted);
  member.multicast.leave({ ...wanted, source: '192.0.2.77' });
});

test('groups of IPv6 are joined by the interface’s index', (t) => {
  if (!hasIpv6) {
    t.pass('this system has no IPv6 on its loopback interface');
    return;
  }
  using member = UdpSocket.bind({ host: '::', port: 0, reuseAddress: true });
  // The loopback interface is the first one, everywhere.
  const membership = { group: GROUP_V6, interface: 1 };
  member.multicast.join(membership);
  refused(t, () => member.multicast.join(membership), 'EADDRINUSE');
  member.multicast.setInterface(1);
  member.multicast.leave(membership);
  refused(t, () => member.multicast.join({ group: GROUP_V6, interface: 99_999 }), 'ENODEV');
});

unless(underWine, 'Wine has no source-specific memberships of IPv6')(
  'a group of IPv6 is joined for one source',
  (t) => {
    if (!hasIpv6) {
      t.pass('this system has no IPv6 on its loopback interface');
      return;
    }
    using member = UdpSocket.bind({ host: '::', port: 0, reuseAddress: true });
    const membership = { group: 'ff3e::1234', interface: 1, source: '2001:db8::1' };
    member.multicast.join(membership);
    member.multicast.leave(membership);
    t.throws(() => member.multicast.leave(membership));
  },
);

test('a group that is none is refused', (t) => {
  using socket = bindUdp();
  for (const group of ['everyone', '', '::1', 'ff02::1']) {
    t.throws(() => socket.multicast.join({ group }), { code: 'ERR_SIDEPORT_INVALID_ADDRESS' });
  }
  t.throws(() => socket.multicast.join({ group: '10.0.0.1', interface: LOOPBACK }), { code: 'EINVAL' });
  t.throws(() => socket.multicast.join({ group: GROUP, interface: 1 }), { code: 'ERR_SIDEPORT_INVALID_ADDRESS' });
});

test('a descriptor opened elsewhere is adopted; what is no UDP socket is refused', (t) => {
  t.throws(() => UdpSocket.fromDescriptor(-1), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  t.throws(() => UdpSocket.fromDescriptor(99_999), { code: 'EBADF' });
  withFileDescriptor((fd) => t.throws(() => UdpSocket.fromDescriptor(fd), { code: 'ENOTSOCK' }));
  // As one that a parent process hands down: a descriptor that nobody here owns.
  const fd = openDatagramSocket();
  using adopted = UdpSocket.fromDescriptor(fd);
  using pair = new UdpPair(ioThread);
  pair.poll.registry.register(adopted, 3, 1);
  sendAll(pair.poll, pair.a, Buffer.from('to the adopted'), endpointOf(adopted));
  t.is(receive(pair.poll, adopted, 1)[0]?.text, 'to the adopted');
  t.is(adopted.sendTo(Buffer.from('from it'), endpointOf(pair.b)), 7);
  t.is(pair.receive(1)[0]?.received.from.port, adopted.localAddress().port);
});
