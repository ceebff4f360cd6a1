/** Every kernel of the table, in every runner, computes what tfjs computes eagerly on its cpu backend; so do gradients. */
import { kernelTable } from '../../../engine/kernel-table.js';
import { prepareBackend } from '../../../engine/runners/kernels-backend.js';
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { tensorflowRunner } from '../../../engine/runners/tensorflow.js';
import type { Numbers } from '../../../engine/tracing/program.js';
import { trace } from '../../../engine/tracing/trace.js';
import { nativeOptions } from '../../support/native-engine.js';
import type { KernelCase } from './kernels/cases.js';
import { elementwiseCases } from './kernels/elementwise-cases.js';
import { evaluateCompiled, evaluateEagerly, functionOf } from './kernels/evaluate.js';
import { structuralCases } from './kernels/structural-cases.js';

const cases: readonly KernelCase[] = [...elementwiseCases, ...structuralCases];

test('every kernel of the table has a case, and every case holds its kernel', () => {
  const held = cases.filter((one) => {
    const inputs = Object.fromEntries(one.inputs.map(({ spec }, index) => [`${index}`, spec]));
    const { operations } = trace('case', {}, inputs, functionOf(one));
    return operations.some(({ kernel }) => kernel === one.kernel);
  });
  expect(held.map(({ title }) => title)).toEqual(cases.map(({ title }) => title));
  expect([...new Set(cases.map(({ kernel }) => kernel))].sort()).toEqual(Object.keys(kernelTable).sort());
});

const native = async (): Promise<Runner> => tensorflowRunner(await nativeOptions());

const runners: [string, () => Promise<Runner>, boolean][] = [
  ['kernels on cpu', async () => kernelsRunner({ backend: 'cpu' }), false],
  ['kernels on wasm', async () => kernelsRunner({ backend: 'wasm' }), false],
  ['a TensorFlow graph', native, false],
  ['XLA', native, true],
];

test.each(runners)(
  '%s computes every case as tfjs does on its cpu backend, gradients included',
  async (_, make, xla) => {
    await prepareBackend('cpu');
    const expected = new Map(cases.map((one) => [one, evaluateEagerly(one)]));
    const found = await evaluateCompiled(cases, await make(), xla);
    const differences = cases.flatMap((one) =>
      Object.entries(expected.get(one) ?? {}).flatMap(([name, numbers]) => {
        const difference = greatestDifference(found.get(one)?.[name], numbers);
        return difference <= (one.tolerance ?? 1e-5) ? [] : [`${one.title}, ${name}: ${difference}`];
      }),
    );
    expect(differences).toEqual([]);
  },
);

/** Relative to the greater of 1 and the value; NaN where lengths or element types differ. */
function greatestDifference(found: Numbers | undefined, expected: Numbers): number {
  if (found?.length !== expected.length || found.constructor.name !== expected.constructor.name) return NaN;
  return Math.max(
    0,
    ...Array.from(expected, (value, index) =>
      Object.is(value, found[index]) ? 0 : Math.abs(value - (found[index] ?? NaN)) / Math.max(1, Math.abs(value)),
    ),
  );
}
