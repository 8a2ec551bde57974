// The suite in lanes that run beside each other: AVA, told to run a file's tests one after another, runs the files so,
// too, and a process under Wine spends much of its time waiting for Wine's server.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../suite.mjs';

const LANES = 2;
const FOLDER = 'dist/test';
const SUFFIX = '.test.js';

/** Seconds that a file took under Wine, rounded, where it took more than most. */
const SECONDS = {
  'exit/process-end': 89,
  'exit/ref': 68,
  'exit/io-thread-gone': 60,
  'io-thread': 52,
  'exit/pending-bytes': 44,
  demo: 40,
  buffers: 35,
  chaos: 31,
  polls: 29,
  'stream-move-threads': 29,
  'exit/terminate-client': 28,
  'exit/io-thread-close': 24,
  'native/send': 22,
  'exit/io-thread-restart': 20,
  'shared-listener': 19,
  examples: 19,
  awakener: 15,
  'poll-move-threads': 14,
  'pass-names': 10,
  transfer: 10,
  'named-pipe': 10,
};
const USUAL_SECONDS = 3;

/** All test files, dealt out so that the lanes end at about the same time. */
export function lanes() {
  const files = readdirSync(join(root, FOLDER), { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .map((name) => ({ file: `${FOLDER}/${name}${SUFFIX}`, seconds: SECONDS[name] ?? USUAL_SECONDS }))
    // The slow ones first: so no long one is left when the other lane has ended.
    .sort((one, other) => other.seconds - one.seconds);
  const dealt = Array.from({ length: LANES }, () => ({ files: [], seconds: 0 }));
  for (const { file, seconds } of files) {
    const shortest = dealt.reduce((one, other) => (other.seconds < one.seconds ? other : one));
    shortest.files.push(file);
    shortest.seconds += seconds;
  }
  return dealt.map(({ files }) => files);
}
