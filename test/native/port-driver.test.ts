/** The auditor that the tests of the ports rely on: that it raises no false alarm. */
import test from 'ava';
import { PortOpcode } from '../../src/protocol/port-records.js';
import { backends, PortDriver } from '../util/port-driver.js';
import { listeningSocket, loopback } from '../util/port-sockets.js';

/** More than the turns that a port needs to reap an accept. */
const WAITING = 2000;

for (const backend of backends) {
  test(`${backend}: a refusal by a close, told late, is not taken for one of a later operation`, (t) => {
    // One completion per turn, and many before those that matter.
    const driver = new PortDriver(backend, 1);
    const listener = driver.adopt(listeningSocket().fd);
    driver.accept(listener, 1);
    driver.turn();
    for (let count = 0; count < WAITING; count++) driver.start(PortOpcode.ACCEPT, -1);
    // The close is in flight until the accept is given back, so the connect is refused.
    driver.close(listener, 1);
    driver.connect(listener, loopback());
    do driver.turn();
    while (driver.native.started() > driver.native.released());
    // The endpoint is nobody's by now. A completion port takes its packets also without room for what they say: there the refusal is untold yet.
    t.is(driver.inFlight().includes(`${listener}:${PortOpcode.CONNECT}`), backend === 'iocp');
    driver.close(listener, 1);
    driver.connect(listener, loopback());
    driver.settle();
    t.deepEqual(driver.inFlight(), []);
    driver.end();
  });
}
