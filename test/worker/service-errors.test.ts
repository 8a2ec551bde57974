import { MessageChannel, type MessagePort } from 'node:worker_threads';
import test from 'ava';
import { expose, transferHandlers, wrap } from 'comlink';
import { fail, systemError } from '../../src/errors.js';
import { keepErrorFields } from '../../src/worker/clients/service-errors.js';

const endpoint = (port: MessagePort) => port as unknown as Parameters<typeof wrap>[0];

const service = {
  system() {
    throw systemError('connect', -111, { address: '127.0.0.1', port: 7 });
  },
  coded() {
    throw fail('ERR_SIDEPORT_LIMIT', 'too many');
  },
  value(): number {
    throw 'not an error';
  },
};

test('an error that crosses comlink keeps its fields; a value that is none crosses as it is', async (t) => {
  const stock = transferHandlers.get('throw');
  keepErrorFields();
  t.not(transferHandlers.get('throw'), stock);
  const { port1, port2 } = new MessageChannel();
  expose(service, endpoint(port1));
  const remote = wrap<typeof service>(endpoint(port2));
  const system = await t.throwsAsync(remote.system());
  const original = systemError('connect', -111, { address: '127.0.0.1', port: 7 });
  t.like(system, { ...original, message: original.message });
  t.like(await t.throwsAsync(remote.coded()), {
    code: 'ERR_SIDEPORT_LIMIT',
    message: 'too many',
    name: 'SideportError',
  });
  await remote.value().then(
    () => t.fail(),
    (thrown: unknown) => t.is(thrown, 'not an error'),
  );
  port1.close();
});
