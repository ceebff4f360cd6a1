import { join } from 'node:path';
import { findTableCycles, findViolations } from '../../house/check.js';
import { house } from '../../house/rules.js';
import { readSources, readTree } from '../../house/sources.js';

/** What the rules say of a small tree, given as path → text. */
const judge = (texts: Readonly<Record<string, string>>): string[] =>
  findViolations(readSources(new Map(Object.entries(texts))), house);

describe('the house', () => {
  it('keeps its rules', () => {
    const sources = readSources(readTree(join(import.meta.dirname, '../../..')));
    expect(sources.length).toBeGreaterThan(10);
    expect(findViolations(sources, house)).toEqual([]);
  });

  it('has an order: the table lets no two rooms import each other', () => {
    expect(findTableCycles(house)).toEqual([]);
  });

  it('names file, line, import and rule of a violation', () => {
    const found = judge({ 'storage/s3.ts': "\nimport { adam } from '../engine/adam.js';", 'engine/adam.ts': '' });
    expect(found).toEqual([
      'storage/s3.ts:2 → engine/adam.ts: storage may import config/errors.ts, types of config/failures.ts',
    ]);
  });
});

describe('the checker', () => {
  const planted: [string, Record<string, string>, string][] = [
    ['a static import', { 'client/a.ts': "import '../engine/b.js';" }, 'client may import'],
    ['a dynamic import', { 'client/a.ts': "void import('../engine/b.js');" }, 'client may import'],
    ['a re-export', { 'client/a.ts': "export * from '../engine/b.js';" }, 'client may import'],
    ['a named re-export', { 'client/a.ts': "export { b } from '../engine/b.js';" }, 'client may import'],
    [
      'a type import where not even types may be seen',
      { 'client/a.ts': "import type { B } from '../engine/b.js';" },
      'client may import',
    ],
    ['an inline type', { 'client/a.ts': "type B = import('../engine/b.js').B;" }, 'client may import'],
    ['a require', { 'client/a.cjs': "require('../engine/b.js');" }, 'client may import'],
    ['a thread named by URL', { 'client/a.ts': "new URL('../engine/b.js', import.meta.url);" }, 'client may import'],
    [
      'a compiled path',
      { 'tools/a.mjs': "import '../dist/engine/b.js';", 'engine/b.ts': '' },
      'engine/b.ts: tools may import',
    ],
    ['tests in the product', { 'cli/a.ts': "import '../test/support/b.js';" }, 'cli may import'],
    ['benchmarks in the product', { 'workers/a.ts': "import '../bench/b.js';" }, 'workers may import'],
    ['an unknown folder', { 'helpers/a.ts': '' }, 'its folder has no row'],
    [
      'an activity used as a value by a workflow',
      { 'workflows/a.ts': "import { b } from '../activities/b.js';" },
      'workflows may import',
    ],
    [
      'a workflow that imports inline types only, which keeps the import',
      { 'workflows/a.ts': "import { type B } from '../activities/b.js';" },
      'workflows may import',
    ],
    [
      'a Node built-in in a workflow',
      { 'workflows/a.ts': "import 'fs';" },
      'node:fs: workflows may import of packages only',
    ],
    ['zod in a workflow', { 'workflows/a.ts': "import 'zod';" }, 'of packages only'],
    [
      'a configuration file that is not pure, behind a pure one, in a workflow',
      {
        'workflows/a.ts': "import '../config/b.js';",
        'config/b.ts': "import './c.js';",
        'config/c.ts': "import 'zod';",
      },
      'pure files of config',
    ],
    ['the configuration in storage', { 'storage/a.ts': "import '../config/environment.js';" }, 'storage may import'],
    ['the value of the table in storage', { 'storage/a.ts': "import '../config/failures.js';" }, 'storage may import'],
    [
      'the AWS SDK outside its adapter',
      { 'storage/a.ts': "import '@aws-sdk/client-s3';" },
      'only storage/s3.ts, storage/s3-* may',
    ],
    ['tensors outside the engine', { 'storage/a.ts': "import '@tensorflow/tfjs-core';" }, 'only engine/ may'],
    ['Temporal in storage', { 'storage/a.ts': "import '@temporalio/common';" }, 'know nothing of Temporal'],
    ['the worker in the client', { 'client/a.ts': "import '@temporalio/worker';" }, 'of packages only'],
    ['process.env', { 'engine/a.ts': 'process.env.HOME;' }, 'read the process environment'],
    ['process["env"]', { 'engine/a.ts': 'globalThis.process["env"];' }, 'read the process environment'],
    ['env taken out of process', { 'engine/a.ts': 'const { env } = process;' }, 'read the process environment'],
    ['env imported', { 'engine/a.ts': "import { env } from 'node:process';" }, 'read the process environment'],
    [
      'an inner file where the folder has an index',
      { 'client/a.ts': "import '../storage/b.js';", 'storage/b.ts': '', 'storage/index.ts': '' },
      'import it through storage/index.ts',
    ],
    [
      'a circle',
      { 'cli/a.ts': "import './b.js';", 'cli/b.ts': "import './c.js';", 'cli/c.ts': "import './a.js';" },
      'cli/a.ts → cli/b.ts → cli/c.ts → cli/a.ts',
    ],
  ];

  it.each(planted)('sees %s', (_title, texts, rule) => {
    expect(judge(texts)).toEqual([expect.stringContaining(rule)]);
  });

  const allowed: [string, Record<string, string>][] = [
    ['a type of an activity in a workflow', { 'workflows/a.ts': "import type { B } from '../activities/b.js';" }],
    [
      'a pure file in a workflow',
      {
        'workflows/a.ts': "import '../config/b.js';",
        'config/b.ts': "import './c.js';",
        'config/c.ts': "import type { Z } from 'zod';",
      },
    ],
    [
      'the base error in storage',
      { 'storage/a.ts': "import '../config/errors.js'; import type { C } from '../config/failures.js';" },
    ],
    [
      'the AWS SDK in its adapter and in benchmarks',
      { 'storage/s3.ts': "import '@aws-sdk/client-s3';", 'bench/a.ts': "import '@aws-sdk/lib-storage';" },
    ],
    [
      'the environment in its reader, in workers and in the command line',
      { 'config/environment.ts': 'process.env;', 'workers/a.ts': 'process.env;', 'cli/a.ts': 'process.env;' },
    ],
    [
      'the index of a folder in another room',
      { 'client/a.ts': "import '../storage/b/index.js';", 'storage/b/index.ts': '', 'storage/index.ts': '' },
    ],
    [
      'anything in a test',
      {
        'test/a.ts': "import '../storage/b.js'; import '@aws-sdk/client-s3'; process.env;",
        'storage/b.ts': '',
        'storage/index.ts': '',
      },
    ],
    [
      'a circle of types',
      { 'cli/a.ts': "import type { B } from './b.js';", 'cli/b.ts': "import type { A } from './a.js';" },
    ],
  ];

  it.each(allowed)('allows %s', (_title, texts) => {
    expect(judge(texts)).toEqual([]);
  });

  it('sees a circle of rooms in a table', () => {
    const rooms = [
      { folder: 'left', holds: '', imports: [{ room: 'right' }] },
      { folder: 'right', holds: '', imports: [{ room: 'left' }] },
    ];
    expect(findTableCycles({ ...house, rooms })).toEqual(['left → right → left']);
  });

  it('refuses what is not TypeScript', () => {
    expect(() => judge({ 'cli/a.ts': 'import from from' })).toThrow('expected TypeScript');
  });
});
