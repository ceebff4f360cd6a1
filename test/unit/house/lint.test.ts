import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const require = createRequire(import.meta.url);
const lines = (count: number, line: string): string => `${line}\n`.repeat(count);

/** Rule → a file of the product that breaks it, and nothing else that the test looks for. */
const planted: Record<string, string> = {
  'typescript(no-floating-promises)': 'export function save(): void { Promise.resolve(1); }',
  'typescript(no-misused-promises)':
    'export const busy = (): boolean => { if (Promise.resolve(false)) return true; return false; };',
  'typescript(await-thenable)': 'export async function wait(): Promise<void> { await 1; }',
  'typescript(return-await)':
    'export async function attempt(act: () => Promise<number>): Promise<number> { try { return act(); } catch { return 0; } }',
  'typescript(no-explicit-any)': 'export const value = (given: any): void => { void given; };',
  'typescript(no-unsafe-assignment)': "export const parsed: { step: number } = JSON.parse('{}');",
  'typescript(no-unsafe-return)': "export const parse = (): string => JSON.parse('1');",
  'typescript(no-unsafe-member-access)': "export const step = Number(JSON.parse('{}').step);",
  'typescript(no-non-null-assertion)': 'export const first = (names: string[]): string => names[0]!;',
  'typescript(only-throw-error)': "export function fail(): never { throw 'text'; }",
  'typescript(switch-exhaustiveness-check)':
    "export function pick(side: 'a' | 'b'): number { switch (side) { case 'a': return 1; } return 0; }",
  'typescript(consistent-type-imports)': "import { Thing } from './thing.js';\nexport const none: Thing[] = [];",
  'typescript(no-import-type-side-effects)':
    "import { type Thing } from './thing.js';\nexport const none: Thing[] = [];",
  'eslint(eqeqeq)': 'export const same = (left: number, right: number): boolean => left == right;',
  'eslint(no-shadow)': 'const step = 1;\nexport const next = (step: number): number => step;\nexport { step };',
  'eslint(max-lines)': lines(301, 'export {};'),
  'eslint(max-lines-per-function)': `export function long(): void {\n${lines(51, '  void 0;')}}\n`,
  'import(no-default-export)': 'export default 1;',
  'import(no-cycle)': "import { end } from './cycle-end.js';\nexport const begin = (): number => end();",
  'unicorn(filename-case)': 'export {};',
};
const others: Record<string, string> = {
  'thing.ts': 'export interface Thing { readonly name: string }',
  'cycle-end.ts': "import { begin } from './import-no-cycle.js';\nexport const end = (): number => begin();",
  'test/focused.test.ts':
    "it.only('one', () => { expect(1).toBe(1); });\nit.skip('two', () => { expect(1).toBe(1); });",
  'test/empty.test.ts': "it('cannot fail', () => { void 1; });",
};
const fileOf = (rule: string): string =>
  rule.includes('filename') ? 'badName.ts' : `${rule.replaceAll(/[()]/g, ' ').trim().replace(' ', '-')}.ts`;

describe('the linter', () => {
  let folder: string;
  let found: Set<string>;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nightstill-lint-'));
    mkdirSync(join(folder, 'test'));
    for (const [rule, text] of Object.entries(planted)) writeFileSync(join(folder, fileOf(rule)), text);
    for (const [name, text] of Object.entries(others)) writeFileSync(join(folder, name), text);
    const compilerOptions = {
      strict: true,
      module: 'NodeNext',
      target: 'ES2023',
      noUncheckedIndexedAccess: true,
      types: ['jest'],
      typeRoots: [join(root, 'node_modules/@types')],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const program = join(dirname(require.resolve('oxlint/package.json')), 'bin/oxlint');
    const flags = ['--config', join(root, '.oxlintrc.json'), '--type-aware', '--format', 'json'];
    // oxlint looks for its type-aware half below the working directory, then on PATH.
    const PATH = [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
    const env = { ...process.env, PATH };
    const { stdout } = spawnSync(process.execPath, [program, ...flags, '.'], { cwd: folder, env, encoding: 'utf8' });
    const { diagnostics }: { diagnostics: { code: string; filename: string }[] } = JSON.parse(stdout);
    found = new Set(diagnostics.map(({ code, filename }) => `${filename}: ${code}`));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.keys(planted))('finds %s', (rule) => {
    expect([...found]).toContain(`${fileOf(rule)}: ${rule}`);
  });

  it('finds tests that are focused, skipped or cannot fail', () => {
    expect([...found]).toEqual(
      expect.arrayContaining([
        'test/focused.test.ts: jest(no-focused-tests)',
        'test/focused.test.ts: jest(no-disabled-tests)',
        'test/empty.test.ts: jest(expect-expect)',
      ]),
    );
  });

  it('says nothing of a file that keeps the rules', () => {
    expect([...found].filter((line) => line.startsWith('thing.ts'))).toEqual([]);
  });
});
