/**
 * How often training enters TensorFlow: once for a micro-batch, and a few times for all variables. TensorFlow optimises its graph
 * again for every new list of fetches, so these lists stay the same, whichever variables and rows are asked for.
 */
import { compile } from '../../../engine/compile.js';
import { sampleSteps } from '../../../engine/training/step-source.js';
import { eventsOf, tinySamples, tinyStream, tinyTrainer } from '../../support/tiny-run.js';
import { nativeRunner } from './runners-under-test.js';

/** A runner, and the fetches of each call that it made. */
async function countedRunner() {
  const runner = await nativeRunner();
  const { library } = runner;
  const calls: string[] = [];
  const runHeld = library.runHeld.bind(library); // every call of a session goes through it
  library.runHeld = (session, feeds, fetches) => {
    calls.push(fetches.join());
    return runHeld(session, feeds, fetches);
  };
  /** The calls made by this work. */
  const callsOf = async <Result>(work: () => Promise<Result> | Result): Promise<string[]> => {
    const before = calls.length;
    await work();
    return calls.slice(before);
  };
  return { runner, calls, callsOf };
}

const distinct = (calls: readonly string[]): number => new Set(calls).size;

test.each([
  [1, 1],
  [2, 2],
])(
  'over 20 steps of %d micro-batches each is %d calls, and all variables are read by as many as there are groups of them',
  async (microBatches, callsOfStep) => {
    const { runner, calls, callsOf } = await countedRunner();
    const source = sampleSteps(tinySamples(), { ...tinyStream, microBatches });
    const trainer = await tinyTrainer({ runner, source, shape: { rows: 2, tokens: 16, microBatches } });
    await eventsOf(trainer, 1); // moments become zeros, once
    const variables = Object.keys(trainer.capture().specs);
    const weights = variables.filter((name) => !name.startsWith('adamw.'));
    calls.length = 0;
    const reading = await callsOf(() => trainer.capture());
    for (let step = 2; step <= 21; step += 1) {
      expect(await callsOf(() => eventsOf(trainer, step))).toHaveLength(callsOfStep);
      expect(await callsOf(() => trainer.capture())).toEqual(reading);
      const [name = ''] = weights.slice(step);
      expect(await callsOf(() => trainer.read(name))).toEqual(reading.slice(0, 1));
    }
    expect(trainer.step).toBe(21);
    expect(variables).toHaveLength(3 * weights.length);
    // Weights, and what accompanies them.
    expect(reading).toHaveLength(2);
    expect(weights.length).toBeGreaterThan(21);
    expect(distinct(calls)).toBe(callsOfStep + reading.length);
    trainer.dispose();
  },
);

test('a large variable is a group of its own, and any of its rows are read by one list of fetches and written by another', async () => {
  const { runner, calls, callsOf } = await countedRunner();
  const float = (...shape: number[]) => ({ shape, dtype: 'float32' }) as const;
  const session = await compile<never>({
    runner,
    state: { first: float(3), large: float(2000, 1000), second: float(2, 2) },
    programs: {},
  });
  session.write({ first: new Float32Array(3), large: new Float32Array(2_000_000), second: new Float32Array(4) });
  calls.length = 0;
  const all = await callsOf(() => session.read(['second', 'large', 'first']));
  expect(all.length).toBeLessThanOrEqual(3);
  expect(await callsOf(() => session.read(['large']))).toHaveLength(1);
  const reads: string[] = [];
  const writes: string[] = [];
  for (let row = 0; row < 20; row += 1) {
    reads.push(...(await callsOf(() => session.readRows('large', row * 90, 1 + row * 3))));
    writes.push(...(await callsOf(() => session.writeRows('large', row * 90, new Float32Array(1000 * (1 + row))))));
  }
  expect([reads.length, writes.length]).toEqual([20, 20]);
  expect([distinct(reads), distinct(writes)]).toEqual([1, 1]);
  expect(distinct(calls)).toBe(all.length + 2);
  session.dispose();
});
