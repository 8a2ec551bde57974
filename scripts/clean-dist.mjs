// Removes the compiled TypeScript, so that a test whose source is gone does not run on.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
