// `npm run test:model`: checks the Promela models of test/model with spin, exhaustively, and shows that each would notice
// if one flag, look, order or swap were removed: every `MUTATE_X` that a model names must make it fail. The list is
// read from the models, so it cannot drift. A line `CHECK name: -DX=1 ...` in a model's head is one configuration of it.
//
// `npm run test:model -- doorbell ring` checks only these. test/model/README.md tells how to read what it finds.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Searches at once. Each is one process on one core, with up to half a gigabyte. */
const PARALLEL = 2;
/** No search takes half as long; one that does has exploded. */
const PATIENCE_MS = 120_000;
/** The models are finite: all together, *any* cycle is a livelock, and what is left are states in which nothing moves. */
const PROPERTIES = [
  { name: 'assertions, deadlocks', defines: ['-DSAFETY'], options: [] },
  { name: 'no cycle', defines: ['-DNP'], options: ['-l'] },
];

const folder = fileURLToPath(new URL('../test/model/', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'sideport-model-'));
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

for (const tool of ['spin', 'gcc']) {
  const { missing } = await run(tool, [tool === 'spin' ? '-V' : '--version'], scratch);
  if (!missing) continue;
  console.error(`test:model needs ${tool}, which is not installed (Debian and Ubuntu: apt-get install ${tool};`);
  console.error(
    tool === 'spin' ? 'macOS: brew install spin; sources: https://spinroot.com)' : 'macOS: xcode-select --install)',
  );
  process.exit(1);
}

const surprises = [];
const models = chosen(process.argv.slice(2)).map(read);
const beganMs = performance.now();

print('model', 'check', 'property', 'states', 'result');
await inParallel(
  models.flatMap((model) =>
    model.checks.flatMap((check) => PROPERTIES.map((property) => () => hold(model, check, property))),
  ),
);
console.log();
print('model', 'mutation', '', '', 'fails by');
await inParallel(models.flatMap((model) => model.mutations.map((mutation) => () => kill(model, mutation))));

console.log('\nmodel          mutations noticed');
for (const { name, killed, mutations } of models) console.log(`${name.padEnd(15)}${killed} of ${mutations.length}`);
console.log(`${models.length} models in ${Math.round((performance.now() - beganMs) / 1000)} s`);
for (const surprise of surprises) console.log(`FAILED: ${surprise}`);
process.exitCode = surprises.length === 0 ? 0 : 1;

function chosen(names) {
  const all = readdirSync(folder)
    .filter((file) => file.endsWith('.pml'))
    .map((file) => file.slice(0, -'.pml'.length));
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0 || all.length === 0) {
    console.error(`test:model: no model ${unknown.join(', ')}; there are ${all.join(', ')}`);
    process.exit(1);
  }
  return names.length > 0 ? names : all;
}

function read(name) {
  const source = readFileSync(join(folder, `${name}.pml`), 'utf8');
  const checks = [...source.matchAll(/CHECK (\w+): (.*)$/gm)].map(([, title, flags]) => ({
    title,
    flags: flags.trim().split(/\s+/),
  }));
  const mutations = [...new Set(source.match(/MUTATE_\w+/g))];
  if (mutations.length === 0) surprises.push(`${name} has no mutation: what does it rest on?`);
  return { name, checks: checks.length > 0 ? checks : [{ title: '', flags: [] }], mutations, killed: 0 };
}

/** As it is, the model holds, and the search was exhaustive. */
async function hold({ name }, { title, flags }, property) {
  const found = await search(name, flags, property, '-O1', 22);
  const holds = found.errors === 0 && found.complete;
  print(name, title, property.name, found.states, holds ? 'holds' : `BROKEN: ${found.reason}`);
  if (!holds) surprises.push(`${name} ${title}, ${property.name}: ${found.reason}`);
}

/** Mutated, it fails, in one of its checks at least. */
async function kill(model, mutation) {
  for (const { title, flags } of model.checks) {
    for (const property of PROPERTIES) {
      // A mutant fails soon: compiling it takes longer than running it.
      const found = await search(model.name, [...flags, `-D${mutation}`], property, '-O0', 18);
      if (found.errors === 0 && found.complete) continue;
      print(model.name, mutation, title, '', found.reason);
      if (found.errors > 0) model.killed++;
      else surprises.push(`${model.name} ${title}, ${mutation}: ${found.reason}`);
      return;
    }
  }
  print(model.name, mutation, '', '', 'NOT NOTICED');
  surprises.push(`${model.name}: nothing notices ${mutation}`);
}

/** `errors` is -1 when there was no search. A hash table of few bits is only slower. */
async function search(name, flags, { defines, options }, optimisation, hashBits) {
  const place = mkdtempSync(join(scratch, `${name}-`));
  try {
    const steps = [
      ['spin', ['-a', ...flags, join(folder, `${name}.pml`)]],
      // -w: what spin generates is not ours to mend.
      ['gcc', ['-w', optimisation, ...defines, '-o', 'pan', 'pan.c']],
    ];
    for (const [tool, options] of steps) {
      const { status, output } = await run(tool, options, place);
      if (status !== 0) return { errors: -1, states: 0, complete: false, reason: `${tool}: ${output.trim()}` };
    }
    return outcome(await run('./pan', [...options, '-m200000', `-w${hashBits}`], place));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function outcome({ status, output }) {
  const errors = Number(/errors: (\d+)/.exec(output)?.[1] ?? -1);
  const truncated = /max search depth too small|Search not completed|out of memory|hash table full/.exec(output)?.[0];
  const error = /pan:1: (.*?) \(at depth \d+\)/.exec(output)?.[1]?.replace('assertion violated', 'assertion');
  return {
    errors,
    states: Number(/(\d+) states, stored/.exec(output)?.[1] ?? 0),
    complete: status === 0 && errors === 0 && truncated === undefined,
    reason: error ?? truncated ?? (errors === 0 ? 'nothing' : `pan ended with ${status}: ${output.trim().slice(-300)}`),
  };
}

async function inParallel(tasks) {
  const next = async () => {
    for (let task = tasks.shift(); task; task = tasks.shift()) await task();
  };
  await Promise.all(Array.from({ length: PARALLEL }, next));
}

function print(model, check, property, states, result) {
  console.log(
    `${model.padEnd(14)} ${check.padEnd(38)} ${property.padEnd(22)} ${String(states).padStart(8)}  ${result}`,
  );
}

function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE_MS });
    children.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes) => {
        output += bytes;
      });
    }
    child.on('error', (error) =>
      error.code === 'ENOENT' ? resolve({ missing: true, output: error.message }) : reject(error),
    );
    child.on('close', (status) => {
      children.delete(child);
      resolve({ status, output });
    });
  });
}
