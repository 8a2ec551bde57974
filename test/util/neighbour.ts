/**
 * An address that swallows datagrams for seconds: of this machine's own network, with nobody behind it. The kernel keeps what is
 * sent there, on the sender's account, while it asks who has the address; on the loopback everything is taken at once.
 */
import { networkInterfaces } from 'node:os';
import { ADDRESS_BYTES } from './port-driver.js';

/** In the form that ports take, with the discard port; undefined where the machine is on no network. */
export function unansweredAddress(): Uint8Array | undefined {
  const networks = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  // Smaller ones are a line between two machines, or have nobody to ask for.
  const own = networks.find(({ family, internal, cidr }) => family === 'IPv4' && !internal && prefixOf(cidr) <= 28);
  if (!own) return undefined;
  const bytes = own.address.split('.').map(Number);
  const mask = own.netmask.split('.').map(Number);
  const into = new Uint8Array(ADDRESS_BYTES);
  into.set([4, 0, 0, 9]);
  // The network's last address but two: the last is everybody's, the one before often a router's.
  for (let at = 0; at < 4; at++) {
    const [byte, net] = [bytes[at] as number, mask[at] as number];
    into[8 + at] = (byte & net) | (~net & 255 & (at === 3 ? 253 : 255));
  }
  return into;
}

function prefixOf(cidr: string | null): number {
  return Number(cidr?.split('/')[1] ?? 32);
}
