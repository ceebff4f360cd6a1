/** Where the package lies, whether this file runs from the sources or from `dist`: pinned recipes are read from there. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the directory with nightstill's package.json. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error(`expected a package.json above ${import.meta.url}, found none`);
    directory = parent;
  }
  return directory;
}
