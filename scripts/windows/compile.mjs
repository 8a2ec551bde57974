// Runs a compiler over sources, two at a time, and not again over what has not changed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../suite.mjs';

export const run = promisify(execFile);
const PARALLEL = 2;

/**
 * Calls `compile(source, object)` for each source whose object in `folder` was not made of this source, these flags and
 * the headers as they are. An object may be no file at all: its note is what is looked for. Returns the objects.
 */
export async function forEachSource(sources, folder, flags, compile) {
  mkdirSync(folder, { recursive: true });
  const headers = fingerprint();
  const tasks = sources.map((source) => async () => {
    const object = join(folder, `${source.replaceAll('/', '_')}.o`);
    const note = `${object}.sha256`;
    const digest = createHash('sha256');
    for (const input of [headers, readFileSync(join(root, source)), ...flags]) digest.update(input);
    const wanted = digest.digest('hex');
    if (existsSync(note) && readFileSync(note, 'utf8') === wanted) return object;
    await compile(source, object);
    writeFileSync(note, wanted);
    return object;
  });
  return await inParallel(tasks);
}

/** Of all headers: whichever changes, everything is compiled anew. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const name of readdirSync(join(root, 'native'), { recursive: true }).sort()) {
    if (name.endsWith('.h')) hash.update(name).update(readFileSync(join(root, 'native', name)));
  }
  return hash.digest('hex');
}

async function inParallel(tasks) {
  const results = [];
  const next = async (at) => {
    for (; at < tasks.length; at += PARALLEL) results[at] = await tasks[at]();
  };
  await Promise.all(Array.from({ length: PARALLEL }, (_, at) => next(at)));
  return results;
}
