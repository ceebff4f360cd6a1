/** `npm run docs`: writes the generated sections of the pages under docs/. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPages } from './pages.js';

const root = process.cwd();
for (const { path, current, wanted } of readPages(root)) {
  if (current !== wanted) writeFileSync(join(root, path), wanted);
  console.log(`${path}: ${current === wanted ? 'up to date' : 'written'}`);
}
