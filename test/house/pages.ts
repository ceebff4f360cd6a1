/** The pages with generated sections, the files that are generated whole, and what each should read now. `npm run docs` writes
 * them; a test compares. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planJsonSchema } from '../../activities/plan-json-schema.js';
import { builtInStages } from '../../plugins/built-in-stages.js';
import { listCommands } from './command-page.js';
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
    { path: 'docs/command-line.md', name: 'commands', content: listCommands() },
  ];
  const files = [{ path: 'docs/distill.schema.json', wanted: schemaOfPlans() }];
  return [
    ...sections.map(({ path, name, content }) => {
      const current = readFileSync(join(root, path), 'utf8');
      return { path, current, wanted: replaceSection(current, name, content) };
    }),
    ...files.map((file) => {
      const path = join(root, file.path);
      return { ...file, current: existsSync(path) ? readFileSync(path, 'utf8') : '' };
    }),
  ];
}

/** For editors. `nightstill plan --schema` prints the same, with the stages of its user. */
const schemaOfPlans = (): string =>
  `${JSON.stringify(planJsonSchema(builtInStages.map(({ kind }) => kind)), null, 2)}\n`;
