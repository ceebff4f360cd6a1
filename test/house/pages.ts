/** The pages with generated sections, and what each should read now. `npm run docs` writes them; a test compares. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listFailures } from './errors-page.js';
import { drawHouse } from './picture.js';
import { house } from './rules.js';
import { replaceSection } from './sections.js';
import { readTree } from './sources.js';

export interface Page {
  readonly path: string;
  readonly current: string;
  readonly wanted: string;
}

export function readPages(root: string): Page[] {
  const present = new Set([...readTree(root).keys()].map((path) => path.split('/')[0] ?? ''));
  const sections = [
    { path: 'docs/architecture.md', name: 'house', content: drawHouse(house, present) },
    { path: 'docs/errors.md', name: 'failures', content: listFailures() },
  ];
  return sections.map(({ path, name, content }) => {
    const current = readFileSync(join(root, path), 'utf8');
    return { path, current, wanted: replaceSection(current, name, content) };
  });
}
