import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nightstill } from '../../support/nightstill.js';
import { temporaryDirectory } from '../../support/temporary.js';

const directory = temporaryDirectory();
writeFileSync(join(directory, 'night.yaml'), '');
writeFileSync(join(directory, 'notes.txt'), '');
mkdirSync(join(directory, 'plans'));

describe('nightstill completion', () => {
  const scripts: Record<string, string> = {};
  beforeAll(async () => {
    for (const shell of ['bash', 'zsh', 'fish'])
      scripts[shell] = (await nightstill(['completion', shell], { PATH: '' })).standardOutput;
  });

  /** What bash offers for the last of these words. */
  const offers = (...words: string[]): string[] => {
    const program = `eval "$1"; shift; COMP_WORDS=(nightstill "$@"); COMP_CWORD=$#; _nightstill; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const printed = execFileSync('bash', ['-c', program, 'bash', scripts['bash'] ?? '', ...words], { cwd: directory });
    return printed.toString().split('\n').filter(Boolean).sort();
  };

  it('offers verbs, flags, and what their values may be, in bash', () => {
    expect(offers('e')).toEqual(['explain', 'export']);
    expect(offers('run', '--p')).toEqual(['--profile', '--prove']);
    expect(offers('run', '')).toEqual(['night.yaml', 'plans/']);
    expect(offers('run', '--run-id', '')).toEqual([]);
    expect(offers('setup', 'tem')).toEqual(['temporal-server']);
    expect(offers('worker', '--role', '')).toEqual(['gpu', 'io', 'orchestrator']);
    expect(offers('completion', '')).toEqual(['bash', 'fish', 'zsh']);
  });

  it('names every verb in each shell', async () => {
    const overview = (await nightstill(['--help'], { PATH: '' })).standardOutput;
    const verbs = [...overview.matchAll(/^ {2}(\w+) /gm)].map(([, verb = '']) => verb);
    expect(verbs.length).toBeGreaterThan(12);
    for (const script of Object.values(scripts)) for (const verb of verbs) expect(script).toContain(verb);
  });

  it('knows three shells and says so', async () => {
    const { status, standardError } = await nightstill(['completion', 'csh'], { PATH: '' });
    expect(status).toBe(2);
    expect(standardError).toContain('expected bash, zsh, fish, found "csh"');
  });
});
