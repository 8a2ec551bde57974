/** `npm run demo`: see USAGE in arguments.ts. */
import { type Command, parseCommand, USAGE } from './arguments.js';
import { compare } from './compare.js';
import { listen } from './listen.js';

function parse(): Command {
  try {
    return parseCommand(process.argv.slice(2));
  } catch (error) {
    console.error(`demo: ${(error as Error).message}\n${USAGE}`);
    process.exit(1);
  }
}

/** What the address did wrong, in words; other errors are this program's and keep their stack. */
function explain(error: NodeJS.ErrnoException, where: string): string | undefined {
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is in use by another program; choose another port (0 takes a free one)`;
    case 'EACCES':
      return `${where} needs privileges that this process does not have; choose a port from 1024 on`;
    case 'EADDRNOTAVAIL':
      return `${where} is no address of this machine`;
    default:
      return undefined;
  }
}

const command = parse();
try {
  if (command.kind === 'help') console.log(USAGE);
  if (command.kind === 'compare') await compare(command.seconds);
  if (command.kind === 'listen') await listen(command.host, command.port);
} catch (error) {
  const where = command.kind === 'listen' ? `${command.host} port ${command.port}` : '';
  console.error('demo:', explain(error as NodeJS.ErrnoException, where) ?? error);
  process.exitCode = 1;
}
// A failed comparison leaves processes behind, which the exit handler ends.
if (process.exitCode) process.exit();
