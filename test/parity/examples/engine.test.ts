/** The example of the engine as a newcomer runs it, with a model small enough for a test. */
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compiledPath } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary.js';

const run = (program: string, ...commandLine: readonly string[]) =>
  promisify(execFile)(process.execPath, [compiledPath(`examples/engine/${program}`), ...commandLine]);

const verse = 'Tell me, night, what the day has forgotten. Tell me, day, what the night has kept.\n';

describe('examples/engine', () => {
  test('trains, is killed and resumed with equal digests, and writes what it has learned', async () => {
    const directory = temporaryDirectory();
    const [text, out] = [join(directory, 'verse.txt'), join(directory, 'out')];
    writeFileSync(text, verse.repeat(20));
    const size = ['--steps', '40', '--layers', '2', '--hidden', '64', '--vocabulary', '280'];
    const { stdout } = await run('train.js', '--text', text, '--out', out, ...size);
    expect(stdout).toContain('killed: killed by SIGKILL');
    expect(stdout).toMatch(/^killed: goes on after step \d+ *$/m);
    const [, undisturbed, killed] = /^undisturbed {2}([0-9a-f]{64})\nkilled {7}([0-9a-f]{64})$/m.exec(stdout) ?? [];
    expect(undisturbed).toBeDefined();
    expect(killed).toBe(undisturbed);
    expect(existsSync(join(out, 'killed', 'model', 'model.safetensors'))).toBe(true);
    const written = await run('generate.js', join(out, 'killed', 'model'), 'Tell me, night', '20');
    expect(written.stdout).toMatch(/^Tell me, night.+/);
    const [, said = ''] = stdout.split('equal: weights and moments, bit for bit\n\n');
    expect(said.startsWith(verse.slice(0, 32))).toBe(true);
    expect(said.trimEnd().length).toBeGreaterThan(40);
  });
});
