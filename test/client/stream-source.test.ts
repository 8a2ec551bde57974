import test from 'ava';
import type { Client } from '../../src/client/link/client.js';
import { Ready } from '../../src/client/polling/events.js';
import { StreamSource } from '../../src/client/sources/stream-source.js';
import { errnoOf, type SystemError } from '../../src/errors.js';
import { EventKind } from '../../src/protocol/events.js';

/** An accepted stream whose client does nothing; events are dispatched by the test, in an order of its choice. */
function stream(): StreamSource {
  const client = {
    limits: { sendHighWaterBytes: 100, sendLowWaterBytes: 10 },
    sendPool: {
      bufferSize: 10,
      available: () => true,
      fill: () => 0,
      append: () => false,
      length: () => 10,
      next() {},
      link() {},
    },
    isAlive: true,
    submit() {},
    flush() {},
    checkAlive() {},
    roomless: { add() {} },
  };
  return StreamSource.accepted(client as unknown as Client, { slot: 0, generation: 1 }, 3);
}

test('an error of an accepted write makes a stream readable as well: a read would throw it', (t) => {
  const source = stream();
  source.write(Buffer.from('lost'));
  source.dispatch(EventKind.SENT, 0, errnoOf('ECONNRESET'));
  t.is(
    source.readiness() & (Ready.READABLE | Ready.WRITABLE | Ready.ERROR),
    Ready.READABLE | Ready.WRITABLE | Ready.ERROR,
  );
  const error = t.throws(() => source.read(Buffer.alloc(1))) as SystemError;
  t.is(error.code, 'ECONNRESET');
  t.is(source.readiness() & (Ready.READABLE | Ready.ERROR), 0, 'once');
  t.is(source.read(Buffer.alloc(1)), null);
});

test('several buffers that come back with the same error are one error', (t) => {
  const source = stream();
  source.write(Buffer.from('a'.repeat(25)));
  source.dispatch(EventKind.SENT, 0, errnoOf('EPIPE'));
  t.throws(() => source.write(Buffer.from('x')), { code: 'EPIPE' });
  source.dispatch(EventKind.SENT, 0, errnoOf('EPIPE'));
  source.dispatch(EventKind.SENT, 0, errnoOf('ECANCELED'));
  t.is(source.takeError(), null);
});

test('writes that were cancelled by our own close are no error', (t) => {
  const source = stream();
  source.write(Buffer.from('x'));
  source.dispatch(EventKind.SENT, 0, errnoOf('ECANCELED'));
  t.is(source.takeError(), null);
});
