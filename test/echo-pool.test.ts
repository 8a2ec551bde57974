import { fileURLToPath } from 'node:url';
import { runNode } from './util/child.js';
import { onWindows, unless } from './util/platform.js';

const main = fileURLToPath(new URL('../examples/echo-pool/main.js', import.meta.url));

unless(onWindows, 'Windows has no SO_REUSEPORT, by which the handlers share their port')(
  'handlers in a piscina pool are clients of one I/O thread and serve all connections between them',
  async (t) => {
    const { status, stdout, stderr, hung } = await runNode([main, '3'], {}, 30_000);
    t.false(hung);
    t.is(status, 0, stderr);
    t.is(stderr, '');
    const shares = [...stdout.matchAll(/^thread \d+: (\d+) connections, (\d+) messages$/gm)];
    t.is(shares.length, 3);
    t.is(
      shares.reduce((sum, [, connections]) => sum + Number(connections), 0),
      16,
    );
    t.regex(stdout, /^3200 messages echoed by 3 threads$/m);
  },
);
