import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

const planted: Record<string, string> = {
  'package.json': JSON.stringify({ name: 'planted', type: 'module', dependencies: { 'left-pad': '1.0.0' } }),
  'tools/main.mjs': "import { used } from '../storage/parts.ts';\nused();\n",
  'storage/parts.ts':
    'export const used = () => undefined;\nexport const dead = 1;\nexport interface Dead { readonly name: string }\n',
  'storage/lonely.ts': 'export const lonely = 1;\n',
};

describe('the search for dead code', () => {
  let folder: string;
  let found: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nightstill-dead-code-'));
    for (const name of ['tools', 'storage']) mkdirSync(join(folder, name));
    for (const [path, text] of Object.entries(planted)) writeFileSync(join(folder, path), text);
    copyFileSync(join(root, 'knip.json'), join(folder, 'knip.json'));
    const program = join(root, 'node_modules/knip/bin/knip.js');
    const parameters = ['--no-progress', '--no-config-hints', '--reporter', 'compact'];
    found = spawnSync(process.execPath, [program, ...parameters], { cwd: folder, encoding: 'utf8' }).stdout;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('finds an export that nothing imports, a type too', () => {
    expect(found).toMatch(/storage\/parts\.ts: dead$/m);
    expect(found).toMatch(/storage\/parts\.ts: Dead$/m);
    expect(found).not.toMatch(/: used/);
  });

  it('finds a file that nothing reaches', () => {
    expect(found).toContain('storage/lonely.ts');
  });

  it('finds a dependency that nothing imports', () => {
    expect(found).toMatch(/package\.json: left-pad$/m);
  });
});
