/** The demo's command line. */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';

export const USAGE = `\
usage: npm run demo                          compare with node:net, about 12 seconds
       npm run demo -- --seconds N           the same, measuring for N seconds (1 to 600)
       npm run demo -- --listen HOST:PORT    serve real clients until Ctrl-C; HOST is an
                                             IP address (IPv6 in [brackets]), PORT 0 any`;

export type Command =
  | { readonly kind: 'compare'; readonly seconds: number }
  | { readonly kind: 'listen'; readonly host: string; readonly port: number }
  | { readonly kind: 'help' };

const SECONDS_DEFAULT = 10;
const SECONDS_MAX = 600;

/** @throws an Error whose message says what is wrong */
export function parseCommand(args: string[]): Command {
  const options = { seconds: { type: 'string' }, listen: { type: 'string' }, help: { type: 'boolean' } } as const;
  const { seconds, listen, help } = parseArgs({ args, options }).values;
  if (help) return { kind: 'help' };
  if (listen === undefined) return { kind: 'compare', seconds: parseSeconds(seconds) };
  if (seconds !== undefined) throw new Error('--seconds and --listen exclude each other');
  return { kind: 'listen', ...parseEndpoint(listen) };
}

function parseSeconds(text = String(SECONDS_DEFAULT)): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= SECONDS_MAX) return seconds;
  throw new Error(`--seconds takes a whole number from 1 to ${SECONDS_MAX}, not ${JSON.stringify(text)}`);
}

function parseEndpoint(text: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = Number(digits);
  if (isIP(host) === (bracketed === undefined ? 4 : 6) && port <= 65_535) return { host, port };
  throw new Error(`--listen takes an IP address and a port, such as 127.0.0.1:7007, not ${JSON.stringify(text)}`);
}
