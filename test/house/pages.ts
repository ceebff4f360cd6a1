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
import { listNumerics, listPlanKeys, listStageOptions, listTeacherKeys, listTeacherLimits } from './plan-page.js';
import { replaceSection } from './sections.js';
import { readTree } from './sources.js';

export interface Page {
  readonly path: string;
  readonly current: string;
  readonly wanted: string;
}

interface GeneratedPage {
  readonly path: string;
  /** By their names. */
  readonly sections: Readonly<Record<string, string>>;
}

export function readPages(root: string): Page[] {
  const present = new Set([...readTree(root).keys()].map((path) => path.split('/')[0] ?? ''));
  const pages: readonly GeneratedPage[] = [
    { path: 'docs/architecture.md', sections: { house: drawHouse(house, present) } },
    { path: 'docs/errors.md', sections: { failures: listFailures() } },
    {
      path: 'docs/write-a-plan.md',
      sections: { keys: listPlanKeys(), numerics: listNumerics(), options: listStageOptions() },
    },
    {
      path: 'docs/prepare-data-and-teacher.md',
      sections: { teacher: listTeacherKeys(), limits: listTeacherLimits() },
    },
    { path: 'docs/command-line.md', sections: { commands: listCommands() } },
  ];
  const files = [{ path: 'docs/distill.schema.json', wanted: schemaOfPlans() }];
  return [
    ...pages.map(({ path, sections }) => {
      const current = readFileSync(join(root, path), 'utf8');
      const wanted = Object.entries(sections).reduce(
        (page, [name, content]) => replaceSection(page, name, content),
        current,
      );
      return { path, current, wanted };
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
