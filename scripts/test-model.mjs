// `npm run test:model`: checks every Promela model of test/model with spin, exhaustively, and shows that each would notice if
// one flag, look, order or swap were removed: a model's `#ifdef MUTATE_X` makes it fail. The list of
// mutations is read from the models, so it cannot drift. A line `CHECK name: -DX=1 ...` in a model's head is one configuration; a
// mutation must fail in at least one of them.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../test/model/', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'sideport-model-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const only = process.argv.slice(2);

const models = readdirSync(folder)
  .filter((name) => name.endsWith('.pml') && (only.length === 0 || only.includes(name.replace('.pml', ''))))
  .map((name) => {
    const source = readFileSync(join(folder, name), 'utf8');
    const configurations = [...source.matchAll(/CHECK (\S+): (.*)$/gm)].map(([, title, flags]) => ({
      title,
      flags: flags.trim().split(/\s+/),
    }));
    return {
      name: name.replace('.pml', ''),
      configurations: configurations.length > 0 ? configurations : [{ title: '', flags: [] }],
      mutations: [...new Set(source.match(/MUTATE_\w+/g) ?? [])],
    };
  });

const surprises = [];
const queue = models.flatMap((model) => [
  ...model.configurations.map((configuration) => () => checkSound(model, configuration)),
  ...model.mutations.map((mutation) => () => checkMutation(model, mutation)),
]);
await Promise.all(Array.from({ length: Math.min(4, cpus().length) }, work));
const mutations = models.reduce((sum, model) => sum + model.mutations.length, 0);
console.log(`\n${models.length} models, ${mutations} mutations, ${surprises.length} surprises`);
for (const surprise of surprises) console.log(`FAILED: ${surprise}`);
process.exitCode = surprises.length === 0 && models.length > 0 ? 0 : 1;

async function work() {
  for (let task = queue.shift(); task; task = queue.shift()) await task();
}

async function checkSound({ name }, { title, flags }) {
  const { errors, states, complete, output } = await verify(name, flags);
  const label = `${name} ${title}`.padEnd(28);
  const verdict = errors === 0 && complete ? 'holds' : 'BROKEN';
  console.log(`${label} ${verdict}, ${states} states`);
  if (verdict !== 'holds') surprises.push(`${label.trim()}: ${errors} errors, complete: ${complete}\n${output}`);
}

async function checkMutation({ name, configurations }, mutation) {
  for (const { title, flags } of configurations) {
    const { errors } = await verify(name, [...flags, `-D${mutation}`]);
    if (errors > 0) return console.log(`${name.padEnd(28)} ${mutation}: noticed${title && ` (${title})`}`);
  }
  console.log(`${name.padEnd(28)} ${mutation}: NOT NOTICED`);
  surprises.push(`${name}: nobody notices ${mutation}`);
}

/** Looks for assertion violations and deadlocks, then, the models being finite, for any cycle at all. */
async function verify(name, flags) {
  const place = mkdtempSync(join(scratch, `${name}-`));
  try {
    const generated = await run('spin', ['-a', ...flags, join(folder, `${name}.pml`)], place);
    if (generated.status !== 0) return { errors: -1, states: 0, complete: false, output: generated.output };
    const safety = await search(place, ['-DSAFETY'], []);
    return safety.errors === 0 ? { ...(await search(place, ['-DNP'], ['-l'])), states: safety.states } : safety;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function search(place, defines, options) {
  const compiled = await run('gcc', ['-O2', ...defines, '-DCOLLAPSE', '-w', '-o', 'pan', 'pan.c'], place);
  if (compiled.status !== 0) return { errors: -1, states: 0, complete: false, output: compiled.output };
  const { output } = await run('./pan', [...options, '-m2000000', '-w24'], place);
  return {
    errors: Number(/errors: (\d+)/.exec(output)?.[1] ?? -1),
    states: Number(/(\d+) states, stored/.exec(output)?.[1] ?? 0),
    complete: !/max search depth too small|Search not completed|out of memory/.test(output),
    output,
  };
}

function run(command, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += bytes));
    child.on('error', (error) => {
      if (error.code !== 'ENOENT') throw error;
      console.error(`test:model needs ${command} (Debian: apt-get install ${command})`);
      process.exit(1);
    });
    child.on('close', (status) => resolve({ status, output }));
  });
}
