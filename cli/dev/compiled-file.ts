/** Where a program of this package lies, compiled. */
import { join } from 'node:path';
import { packageRoot } from '../../tools/package-root.js';

/** @param path within `dist`: `workers/io.js` */
export const compiledFile = (path: string): string => join(packageRoot(), 'dist', path);
