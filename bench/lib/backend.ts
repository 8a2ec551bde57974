/** Which backend really runs, with this environment (`SIDEPORT_BACKEND`): every comparison prints it. */
import { IoThread } from '../../src/index.js';

export async function backendName(): Promise<string> {
  await using ioThread = IoThread.start();
  return ioThread.backend;
}
