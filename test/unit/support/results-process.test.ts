import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runForResults } from '../../support/results-process.js';

const writes = `require('node:fs').writeFileSync(process.argv[1], '{"numPassedTests": 3}');`;

describe('a program that writes its results', () => {
  let directory: string;
  let outputFile: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'nightstill-results-'));
    outputFile = join(directory, 'results.json');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const run = (program: string, graceMs?: number) =>
    runForResults({ words: ['-e', program, outputFile], cwd: directory, env: process.env, outputFile }, graceMs);

  it.each([
    ['ends well', writes, { numPassedTests: 3 }, true],
    ['ends with a status', `${writes} process.exitCode = 1;`, { numPassedTests: 3 }, false],
    ['ends without results', '', undefined, true],
    ['is killed', `process.kill(process.pid, 'SIGKILL')`, undefined, false],
  ])('that %s', async (_, program, results, succeeded) => {
    expect(await run(program)).toEqual({ results, succeeded });
  });

  it.each([
    ['its own threads', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);', true, /^futex/],
    ['something that it left open', 'setInterval(() => undefined, 1000);', false, /poll/],
  ])('and waits for %s is ended, and its results are kept', async (_, waits, succeeded, hung) => {
    const end = await run(`${writes} ${waits}`, 300);
    expect(end).toEqual({ results: { numPassedTests: 3 }, succeeded, hung: expect.stringMatching(hung) });
  });

  it('that cannot be started', async () => {
    const program = { words: [], cwd: join(directory, 'missing'), env: process.env, outputFile };
    expect(await runForResults(program)).toEqual({ results: undefined, succeeded: false });
  });
});
