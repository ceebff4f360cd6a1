import { rewrite, type PassName } from '../../../../engine/passes/rewrite.js';
import { trace } from '../../../../engine/tracing/trace.js';
import { configurations } from '../../../support/configurations.js';
import type { Program } from '../../../../engine/tracing/program.js';
import { allBut, kernelsAfter, passNames, withAndWithout } from './on-and-off.js';
import { trainingData, trainingStep } from './training-step.js';

const size = { rows: 2, tokens: 6 };

/** They find nothing to do in this step: programs in chunks, with sums of several axes and with caches are in tests of their own. */
const idle: readonly PassName[] = ['keepOrder', 'splitSums', 'rowsInPlace'];

/** What a program does, in its order, and what each operation waits for. */
const shapeOf = ({ operations }: Program) =>
  operations.map(({ kernel, outputs, after = [] }) => [kernel, outputs.map(({ shape }) => shape), after.length]);

test.each([
  { family: 'llama', most: 117 },
  { family: 'qwen2', most: 127 },
  { family: 'qwen3', most: 140 },
] as const)('a layer of $family trains in at most $most operations, update included', ({ family, most }) => {
  const [two, three] = [2, 3].map(
    (layers) => kernelsAfter(trainingStep({ ...configurations[family], layers }, size), { recompute: false }).length,
  );
  expect((three ?? NaN) - (two ?? NaN)).toBeLessThanOrEqual(most);
});

test.each(['llama', 'qwen2', 'qwen3'] as const)(
  'a training step of %s computes the same bits with every pass, blocks computed again included',
  async (family) => {
    const config = configurations[family];
    const { feed, weights } = trainingData(config, size);
    const [without, withPasses] = await withAndWithout(trainingStep(config, size), [feed, feed], weights);
    expect(withPasses).toEqual(without);
    expect(without[1]?.['loss']?.[0]).toBeLessThan(without[0]?.['loss']?.[0] ?? 0);
  },
);

test.each(passNames)('a training step computes the same bits when %s alone is left out', async (name) => {
  const tried = trainingStep(configurations.qwen3, size);
  const { feed, weights } = trainingData(configurations.qwen3, size);
  const [none, others] = await withAndWithout(tried, [feed, feed], weights, { passes: allBut(name) });
  expect(others).toEqual(none);
  const { state = {}, inputs = {}, run } = tried;
  const recorded = trace('step', state, inputs, run);
  const changed =
    JSON.stringify(shapeOf(rewrite(recorded, allBut(name)))) !== JSON.stringify(shapeOf(rewrite(recorded)));
  expect(changed).toBe(!idle.includes(name));
});

test.each([false, true])('the forward pass of a block runs again behind one barrier: XLA %s', (xla) => {
  const { state = {}, inputs = {}, run } = trainingStep(configurations.llama, size);
  const recorded = trace('step', state, inputs, run);
  const kept = rewrite(recorded, { recompute: false }, { xla });
  const { operations } = rewrite(recorded, {}, { xla });
  const barriers = operations.filter(({ kernel }) => kernel === 'Barrier');
  expect(barriers).toHaveLength(configurations.llama.layers);
  const forward = kept.operations.filter(({ block, kernel }) => block !== undefined && kernel !== 'Constant');
  const added = operations.length - kept.operations.length - barriers.length;
  expect(added).toBeGreaterThan(0.8 * forward.length);
  expect(added).toBeLessThanOrEqual(forward.length);
});

test('no backward operation uses an inner value of a block, but what the barrier lets through', () => {
  const { state = {}, inputs = {}, run } = trainingStep(configurations.qwen3, size);
  const { operations } = rewrite(trace('step', state, inputs, run));
  const forward = operations.filter(({ block, kernel }) => block !== undefined && kernel !== 'Constant');
  const last = new Map(forward.map(({ block, outputs }) => [block, outputs]));
  const handedOver = new Set([...last.values()].flat());
  const inner = new Set(forward.flatMap(({ outputs }) => outputs).filter((value) => !handedOver.has(value)));
  const users = operations.filter(
    ({ block, inputs: used }) => block === undefined && Object.values(used).some((value) => inner.has(value)),
  );
  expect(users).toEqual([]);
  expect(handedOver.size).toBe(configurations.qwen3.layers);
});
