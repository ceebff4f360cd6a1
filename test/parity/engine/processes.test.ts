/** What depends on the process: whether XLA compiles, what it keeps for the next process, and that bits repeat. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runChild, runChildWithLog } from './children/run-child.js';
import { temporaryDirectory } from '../../support/temporary.js';

interface Trained {
  readonly digest: string;
  readonly first: number;
  readonly last: number;
}

interface Stage {
  readonly flags: string;
  readonly build: string;
  readonly kept: object;
}

/** Each with when it was written. */
const filesIn = (directory: string): [string, number][] =>
  readdirSync(directory).map((name) => [name, statSync(join(directory, name)).mtimeMs]);

const compiled = /Compiled cluster using XLA/;

test('a program that asks for XLA is compiled by it, and no other is', async () => {
  const [graph, xla] = [
    await runChildWithLog<Trained>('digest', ['graph'], { log: 'info' }),
    await runChildWithLog<Trained>('digest', ['xla'], { log: 'info' }),
  ];
  expect([compiled.test(graph.log), compiled.test(xla.log)]).toEqual([false, true]);
  expect(xla.result.first).toBeCloseTo(graph.result.first, 5);
  expect(xla.result.last).toBeCloseTo(graph.result.last, 3);
  expect(xla.result.last).toBeLessThan(xla.result.first);
});

test('what XLA compiled is kept for the next process, which compiles nothing and computes the same bits', async () => {
  const xlaCacheDirectory = temporaryDirectory();
  const first = await runChild<Trained>('digest', ['xla'], { xlaCacheDirectory });
  const kept = filesIn(xlaCacheDirectory);
  const second = await runChild<Trained>('digest', ['xla'], { xlaCacheDirectory });
  expect(kept.length).toBeGreaterThan(0);
  expect(filesIn(xlaCacheDirectory)).toEqual(kept);
  expect(second).toEqual(first);
});

test('a stage computes under the flags of the state that it goes on from, and keeps apart what XLA compiles under them', async () => {
  const flags = '--xla_cpu_enable_fast_math=true';
  const stage = await runChild<Stage>('stage-with-flags', [flags]);
  expect(stage.flags).toBe(flags);
  expect(stage.build).toMatch(/^[0-9a-f]{16}$/);
  expect(Object.keys(stage.kept)).toEqual([expect.stringMatching(/-\d+\.\d+\.\d+-[0-9a-f]{16}$/)]);
  expect(Object.values(stage.kept)).toEqual([expect.any(Number)]);
  expect(Object.values(stage.kept)).not.toContain(0);
});

test.each(['graph', 'xla', 'wasm'])('two processes compute the same bits: %s', async (kind) => {
  const [one, other] = [await runChild<Trained>('digest', [kind]), await runChild<Trained>('digest', [kind])];
  expect(other).toEqual(one);
});

test('an uncaught error of a process on wasm is reported as it is', async () => {
  const failure: unknown = await runChild('uncaught', []).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/Error: a plain defect\n\s+at .*uncaught\./),
  });
  expect(failure).toMatchObject({ stderr: expect.not.stringContaining('ExitStatus') });
});
