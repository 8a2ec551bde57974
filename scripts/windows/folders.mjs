// Where everything for Windows is: downloads, prefix and build outputs, in one folder that git ignores.
import { join } from 'node:path';
import { root } from '../suite.mjs';

export const workshop = join(root, '.windows');
