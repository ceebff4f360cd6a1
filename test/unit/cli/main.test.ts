import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../../tools/package-root.js';
import { nightstill } from '../../support/nightstill.js';
import { temporaryDirectory } from '../../support/temporary.js';

/** A machine with nothing on it. */
const bare = () => ({ PATH: temporaryDirectory(), NIGHTSTILL_CACHE: temporaryDirectory() });

describe('nightstill', () => {
  it('lists its commands, and each explains itself and its exit status', async () => {
    const { status, standardOutput } = await nightstill(['--help'], bare());
    expect(status).toBe(0);
    const commands = [...standardOutput.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name ?? '');
    expect(commands).toEqual(expect.arrayContaining(['setup', 'doctor']));
    for (const command of commands) {
      const help = await nightstill([command, '--help'], bare());
      expect(help.status).toBe(0);
      expect(help.standardOutput).toMatch(new RegExp(`^usage: nightstill ${command}\\b[^]*Exit status: 0 `));
    }
  });

  it('says which version it is', async () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
    const { status, standardOutput } = await nightstill(['--version'], bare());
    expect({ status, standardOutput }).toEqual({ status: 0, standardOutput: `${version}\n` });
  });

  it('ends with 2 and says what it expected when it does not understand', async () => {
    for (const words of [[], ['dance'], ['doctor', '--dance'], ['doctor', 'dance']]) {
      const { status, standardOutput, standardError } = await nightstill(words, bare());
      expect({ words, status }).toEqual({ words, status: 2 });
      expect(standardOutput + standardError).toContain('usage: nightstill');
    }
  });

  it('names the command or the flag that may have been meant', async () => {
    for (const [words, said] of [
      [['stauts'], 'nightstill: expected a command, found "stauts" (nearest: status)'],
      [['plan', '--shcema'], 'nightstill plan: expected a flag of this command, found "--shcema" (nearest: --schema)'],
      [['gc', '--dry-run'], 'nightstill gc: expected a flag of this command, found "--dry-run"'],
    ] as const) {
      const { status, standardError } = await nightstill([...words], bare());
      expect({ status, line: standardError.split('\n')[0] }).toEqual({ status: 2, line: said });
    }
  });

  it('says of a plan that is no file what is there instead', async () => {
    const directory = temporaryDirectory();
    for (const [path, found] of [
      [join(directory, 'none.yaml'), 'no file of this name'],
      [directory, 'a directory'],
    ] as const) {
      const { status, standardError } = await nightstill(['plan', path], bare());
      expect({ status, standardError }).toEqual({
        status: 2,
        standardError: expect.stringMatching(
          new RegExp(`^plan-invalid: ${path}: expected a plan file .*, found ${found}\n`),
        ),
      });
    }
  });

  it('collects nothing from a store that is not there, and makes none', async () => {
    const directory = join(temporaryDirectory(), 'mistyped');
    const { status, standardError } = await nightstill(['gc', '--store', pathToFileURL(directory).href], bare());
    expect({ status, standardError }).toMatchObject({
      status: 2,
      standardError: expect.stringMatching(/^store-missing: /),
    });
    expect(existsSync(directory)).toBe(false);
  });

  it('ends with 2 when something must be changed by whoever called, with code and remedy and no stack', async () => {
    const unknownPart = await nightstill(['setup', 'postgres'], bare());
    expect(unknownPart.status).toBe(2);
    expect(unknownPart.standardError).toMatch(/^setup-part-unknown: .*"postgres"\n.*\n$/);
    const relative = await nightstill(['setup'], { ...bare(), NIGHTSTILL_CACHE: 'somewhere' });
    expect(relative.status).toBe(2);
    expect(relative.standardError).toMatch(/^environment-invalid: NIGHTSTILL_CACHE: .*\n.*\n$/);
  });

  it('ends with 1 when a part cannot be had, and its table says why', async () => {
    const { status, standardOutput, standardError } = await nightstill(['setup', 's3-server'], bare());
    expect(status).toBe(1);
    expect(standardOutput).toMatch(/^s3-server +– +FAILED: no Python: /m);
    expect(standardError).toMatch(/^setup-part-failed: /m);
    expect(standardError).not.toMatch(/^ +at /m);
  });

  it('shows a stack when NIGHTSTILL_DEBUG is set', async () => {
    const { standardError } = await nightstill(['setup', 'postgres'], { ...bare(), NIGHTSTILL_DEBUG: '1' });
    expect(standardError).toMatch(/^ +at /m);
  });
});
