import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { withAbsolutePaths } from '../../../cli/plan/plan-paths.js';
import type { Json } from '../../../config/json.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { compiledPath } from '../../support/processes.js';

const root = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the README', () => {
  const [, ...program] = read('examples/engine/compile.ts').split('\n');

  it('shows the program of the engine as it is run here', () => {
    const shown = program.join('\n').replace('../../engine/index.js', 'nightstill/engine');
    expect(read('README.md')).toContain(`\`\`\`ts\n${shown}\`\`\``);
  });

  it('shows one that prints what it says', () => {
    const printed = execFileSync(process.execPath, [compiledPath('examples/engine/compile.js')], { encoding: 'utf8' });
    const [, slope, height] = /line: Float32Array\(2\) \[ (\S+), (\S+) \]/.exec(printed) ?? [];
    expect(Number(slope)).toBeCloseTo(2, 4);
    expect(Number(height)).toBeCloseTo(-1, 4);
  });
});

describe('the plan that the README shows', () => {
  it('is one that resolves', () => {
    const [, shown = ''] = /```yaml\n(name: assistant\n[^]*?)```/.exec(read('README.md')) ?? [];
    const kinds = builtInStages.map(({ kind }) => kind);
    const absolute = withAbsolutePaths(parse(shown) as Json, {
      directory: '/plans',
      kinds,
      defaultStore: 'file:///store',
    });
    const { nodes } = resolvePlan(absolute, { kinds, queuePrefix: 'nightstill' }).plan;
    expect(nodes.map(({ id }) => id)).toEqual(expect.arrayContaining(['distill', 'evaluate', 'gate', 'promote']));
  });
});

describe('the page on plans', () => {
  it('shows the first example as it is run here', () => {
    expect(read('docs/write-a-plan.md')).toContain(`\`\`\`yaml\n${read('examples/first/distill.yaml')}\`\`\``);
  });
});
