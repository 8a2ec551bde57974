/**
 * `npm run test:chaos -- --minutes N [--seed S]`: the chaos of the suite, for as long as one likes. SIDEPORT_BACKEND chooses the backend.
 * Prints its seed first and how far it is every ten seconds; ends with 0 only when everything matched and nothing is left.
 */
import { deepEqual } from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { IoThread } from '../../src/index.js';
import { openDescriptors } from '../util/descriptors.js';
import { Conductor } from './conductor.js';
import { NOTHING, remains } from './remains.js';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Math.trunc(Math.random() * 2 ** 32) : Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error('test:chaos -- --minutes N [--seed S]');

const ioThread = IoThread.start({ transferTimeoutMs: 5000 });
console.log(`chaos on ${ioThread.backend} for ${minutes} minutes, --seed ${seed}`);
await ioThread.stats();
const descriptors = openDescriptors();
const untilMs = performance.now() + 60_000 * minutes;
const chaos = new Conductor(ioThread, {
  streams: 50,
  threads: 4,
  seed,
  stepsPerTermination: 30,
  goOn: () => performance.now() < untilMs,
});
const timer = setInterval(() => console.log(JSON.stringify(chaos.tally)), 10_000);
try {
  await chaos.run();
  deepEqual(await remains(ioThread, descriptors), NOTHING);
  console.log(JSON.stringify(chaos.tally));
} finally {
  clearInterval(timer);
  await ioThread.close();
}
