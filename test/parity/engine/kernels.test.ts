/** Every kernel of the table, in every runner, computes what tfjs computes eagerly on its cpu backend; so do gradients. */
import { hasCode } from '../../../config/errors.js';
import { kernelTable } from '../../../engine/kernel-table.js';
import { prepareBackend } from '../../../engine/runners/kernels-backend.js';
import type { Numbers, Operation, Program } from '../../../engine/tracing/program.js';
import { trace } from '../../../engine/tracing/trace.js';
import { describeSpec, type DataType } from '../../../engine/tracing/tensor-spec.js';
import { seed, type KernelCase } from './kernels/cases.js';
import { evaluateCompiled, evaluateEagerly, functionOf, specsOf } from './kernels/evaluate.js';
import { everyCase } from './kernels/every-case.js';
import { differentiable, gradientsAskedFor } from './kernels/gradients-asked-for.js';
import { withoutGradient } from './kernels/without-gradient.js';
import { runnersUnderTest } from './runners-under-test.js';

/** What a case records, its floats perhaps of another type. */
function traced(one: KernelCase, floats: DataType = 'float32'): Program {
  const specs = one.inputs.map(({ spec }) => (spec.dtype === 'float32' ? { ...spec, dtype: floats } : spec));
  const inputs = Object.fromEntries(specs.map((spec, index) => [`${index}`, spec]));
  return trace('case', {}, inputs, functionOf(one));
}

/** The calls of its kernel that a case makes, before any gradient. */
const callsOf = (one: KernelCase, floats?: DataType): Operation[] =>
  traced({ ...one, gradient: false }, floats).operations.filter(({ kernel }) => kernel === one.kernel);

/** What each operand of a call is made of; one name for those of a list. */
const typesOf = ({ kernel, inputs }: Operation): string[] =>
  Object.entries(inputs).map(([name, { dtype }]) => `${kernel}: ${/^\d+$/.test(name) ? 'each' : name} of ${dtype}`);

test('every kernel of the table has a case, and every case holds its kernel', () => {
  const held = everyCase.filter((one) => callsOf(one).length > 0);
  expect(held.map(({ title }) => title)).toEqual(everyCase.map(({ title }) => title));
  expect([...new Set(everyCase.map(({ kernel }) => kernel))].sort()).toEqual(Object.keys(kernelTable).sort());
});

test(`a program of every case of seed ${seed} knows the shapes and element types that tfjs gives`, async () => {
  await prepareBackend('cpu');
  const known = everyCase.map((one) => [...traced(one).outputs].map(([name, spec]) => [name, describeSpec(spec)]));
  const given = everyCase.map((one) => Object.entries(specsOf(one)));
  const different = everyCase.filter((_, index) => JSON.stringify(known[index]) !== JSON.stringify(given[index]));
  expect(different.map(({ title }) => title)).toEqual([]);
});

test('every element type that a kernel takes has a case, all others are refused by the name of a kernel or by tfjs', () => {
  const covered = new Set(everyCase.flatMap((one) => callsOf(one).flatMap(typesOf)));
  const refusals: string[] = [];
  const taken = (['int32', 'bool'] as const).flatMap((dtype) =>
    everyCase.flatMap((one) => {
      try {
        return callsOf(one, dtype).flatMap(typesOf);
      } catch (error) {
        if (hasCode(error, 'kernel-unsupported')) refusals.push(error.message);
        return [];
      }
    }),
  );
  expect([...new Set(taken)].filter((types) => !covered.has(types))).toEqual([]);
  const named = /^expected "(\w+)" of .+, found (?:int32|bool).*, asked for by /;
  expect(refusals.filter((message) => kernelTable[named.exec(message)?.[1] ?? ''] === undefined)).toEqual([]);
  expect(refusals.length).toBeGreaterThan(0);
});

test('every kernel that has a gradient has it compared; what is listed as having none has none', () => {
  const compared = everyCase.filter(({ gradient }) => gradient === true);
  const registered = compared.filter(({ kernel }) => differentiable.includes(kernel));
  const asked = registered.filter((one) => gradientsAskedFor(() => traced(one)).has(one.kernel));
  expect(asked.map(({ title }) => title)).toEqual(registered.map(({ title }) => title));
  const kernels = new Set(compared.map(({ kernel }) => kernel));
  expect(differentiable.filter((kernel) => !kernels.has(kernel))).toEqual([]);
  const others = Object.keys(kernelTable).filter((kernel) => !kernels.has(kernel));
  expect(Object.values(withoutGradient).flat().sort()).toEqual(others.sort());
});

test.each(runnersUnderTest)(
  `%s computes every case of seed ${seed} as tfjs does on its cpu backend, gradients included`,
  async (_, make, xla) => {
    await prepareBackend('cpu');
    const expected = new Map(everyCase.map((one) => [one, evaluateEagerly(one)]));
    const found = await evaluateCompiled(everyCase, await make(), xla);
    const differences = everyCase.flatMap((one) =>
      Object.entries(expected.get(one) ?? {}).flatMap(([name, numbers]) => {
        const difference = greatestDifference(found.get(one)?.[name], numbers);
        return difference <= (one.tolerance ?? 1e-5) ? [] : [`${one.title}: ${name}: ${difference}`];
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
