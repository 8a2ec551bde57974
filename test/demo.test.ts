/** The demo as a user runs it: a process with a command line, and real clients. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { runNode } from './util/child.js';
import { onWindows, slowness, unless } from './util/platform.js';
import { WATCHDOG_MS } from './util/watchdog.js';

const main = fileURLToPath(new URL('../examples/demo/main.js', import.meta.url));
/** Above the demo's own limit, so that this one never hides what the demo would say. */
const COMPARE_WATCHDOG_MS = 45_000 * slowness;

test('the comparison ends by itself, with numbers for every server and a summary', async (t) => {
  t.timeout(COMPARE_WATCHDOG_MS + 5000);
  // Long enough for an answer of each server in either half of it, however slow the machine.
  const seconds = String(2 * slowness);
  const { status, stdout, stderr, hung } = await runNode([main, '--seconds', seconds], {}, COMPARE_WATCHDOG_MS);
  t.false(hung);
  t.is(stderr, '');
  t.is(status, 0);
  t.true(stdout.includes(`I/O thread (${process.env.SIDEPORT_BACKEND ?? ''}`));
  const [, end = ''] = stdout.split(/^ +accept delay +round trip$/m);
  for (const name of ['sideport', 'node:net', 'node:net in a worker']) {
    const time = '[\\d.]+ ms';
    const row = new RegExp(`^  ${name} +${time} +${time} +${time} +${time} +(\\d+) +\\d+ %$`, 'gm');
    const counts = [...end.matchAll(row)].map((match) => Number(match[1]));
    t.is(counts.length, 2, `${name}: blocked and idle, in ${end}`);
    for (const count of counts) t.true(count > 0, `${name}: ${count} messages`);
  }
  t.regex(end, /^What it means$/m);
});

test('bad arguments are answered with the usage', async (t) => {
  const bad = [['--nonsense'], ['word'], ['--seconds', '0'], ['--seconds', '1.5'], ['--listen', 'localhost:1']];
  bad.push(['--listen', '127.0.0.1'], ['--listen', '127.0.0.1:65536'], ['--listen', '127.0.0.1:1', '--seconds', '1']);
  await Promise.all(
    bad.map(async (args) => {
      const { status, stdout, stderr } = await runNode([main, ...args]);
      t.is(status, 1, args.join(' '));
      t.regex(stderr, /^demo: .+\nusage: npm run demo/, args.join(' '));
      t.is(stdout, '');
    }),
  );
});

test('an address in use is named', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const { status, stderr } = await runNode([main, '--listen', `127.0.0.1:${port}`]);
  t.is(status, 1);
  t.regex(stderr, new RegExp(`^demo: 127\\.0\\.0\\.1 port ${port} is in use.*\\n$`));
});

interface Listening {
  readonly port: number;
  readonly child: ChildProcess;
  /** All it prints, once it has ended. */
  readonly output: Promise<string>;
}

async function listening(t: ExecutionContext): Promise<Listening> {
  const child = spawn(process.execPath, [main, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const watchdog = setTimeout(() => child.kill('SIGKILL'), 2 * WATCHDOG_MS);
  t.teardown(() => {
    clearTimeout(watchdog);
    child.kill('SIGKILL');
  });
  let text = '';
  const output = once(child, 'close').then(() => text);
  const invited = new Promise<void>((resolve) => {
    child.stdout.on('data', (bytes) => {
      text += bytes;
      if (text.includes('Ctrl-C here')) resolve();
    });
  });
  await Promise.race([invited, output]);
  return { port: Number(/curl http:\/\/127\.0\.0\.1:(\d+)\//.exec(text)?.[1]), child, output };
}

/** Sends everything, ends its side, and gives what came back. */
async function talk(port: number, bytes: Uint8Array): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.end(bytes);
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

test('clients of one port get their bytes back, or HTTP', async (t) => {
  const { port } = await listening(t);
  t.is((await talk(port, Buffer.from('hello\n'))).toString(), 'hello\n');
  t.is((await talk(port, Buffer.from('GET lost\n'))).toString(), 'GET lost\n', 'begins like HTTP');
  t.is((await talk(port, Buffer.from('GE'))).toString(), 'GE', 'ends while it may still become HTTP');
  t.is((await talk(port, Buffer.alloc(0))).length, 0);
  t.regex((await talk(port, Buffer.from('GET / HTTP/1.0\n\n'))).toString(), /^HTTP\/1\.1 200 OK\r\n.*Hello/s);
  // Longer than all buffers on the way, so the server must hold back what it cannot send.
  const long = Buffer.alloc(8 << 20, 'The quick brown fox jumps over the lazy dog. ');
  t.true(long.equals(await talk(port, long)));
});

test('an HTTP client keeps one connection for all its requests', async (t) => {
  const { port } = await listening(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const ask = async (method: string, path: string, body?: string) => {
    const asked: ClientRequest = request({ host: '127.0.0.1', port, agent, method, path });
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    for await (const bytes of response) text += bytes;
    return { status: response.statusCode, text, reused: asked.reusedSocket };
  };
  t.deepEqual(await ask('GET', '/'), { status: 200, text: 'Hello from the demo of sideport.\n', reused: false });
  t.deepEqual(await ask('HEAD', '/'), { status: 200, text: '', reused: true });
  t.deepEqual(await ask('GET', '/nowhere'), { status: 404, text: '404 Not Found\n', reused: true });
  t.deepEqual(await ask('POST', '/', 'body'), { status: 405, text: '405 Method Not Allowed\n', reused: true });
  t.deepEqual(await ask('GET', '/'), { status: 200, text: 'Hello from the demo of sideport.\n', reused: true });
});

const NO_SIGNALS = 'Windows has no signals between processes: kill() ends the other one unasked';

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  unless(onWindows, NO_SIGNALS)(`${signal} ends it cleanly, with a connection open`, async (t) => {
    const { port, child, output } = await listening(t);
    const socket = connect(port, '127.0.0.1');
    socket.write('x');
    await once(socket, 'data');
    child.kill(signal);
    await once(socket, 'end');
    t.regex(await output, /^Ended\. 1 accepted, 1 open, 1 bytes received, 1 bytes sent\n$/m);
    t.is(child.exitCode, 0);
  });
}
