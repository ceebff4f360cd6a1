/** A case as a program: what it computes, and the gradients of a weighted sum of that. */
import type { ProgramSpec } from '../../../../engine/compile.js';
import { compile } from '../../../../engine/compile.js';
import { numbersOf } from '../../../../engine/runners/replay.js';
import type { Runner } from '../../../../engine/runners/runner.js';
import { tf } from '../../../../engine/tf.js';
import type { Numbers } from '../../../../engine/tracing/program.js';
import type { ProgramFunction } from '../../../../engine/tracing/trace.js';
import { seed, type KernelCase } from './cases.js';

type Results = Readonly<Record<string, Numbers>>;

/** Plain results by their number, gradients by the number of their input. */
export const functionOf =
  ({ inputs, run, gradient = false }: KernelCase): ProgramFunction =>
  (_, given) => {
    const tensors = inputs.map((_input, index) => given[`${index}`]!);
    const results: tf.Tensor[] = [run(...tensors)].flat();
    const outputs: Record<string, tf.Tensor> = Object.fromEntries(results.map((result, index) => [`${index}`, result]));
    if (!gradient) return { outputs };
    const floats = tensors.filter(({ dtype }) => dtype === 'float32');
    const loss = (...varied: tf.Tensor[]): tf.Scalar => {
      const queue = [...varied];
      const all = tensors.map((tensor) => (tensor.dtype === 'float32' ? queue.shift()! : tensor));
      return tf.addN([run(...all)].flat().map((result) => tf.sum(tf.mul(result, weightsFor(result)))));
    };
    const { grads } = tf.valueAndGrads(loss)(floats);
    grads.forEach((slope, index) => (outputs[`gradient ${index}`] = slope));
    return { outputs };
  };

/** No two neighbours count the same, so that no two gradients do. */
const weightsFor = ({ shape, size }: tf.Tensor): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: size }, (_, index) => 0.5 + ((index * 37) % 11) / 11),
    shape,
  );

/** Eagerly on tfjs's cpu backend: the oracle. */
export const evaluateEagerly = (one: KernelCase): Results => eagerly(one, numbersOf);

/** The shapes and element types that tfjs gives its results. */
export const specsOf = (one: KernelCase): Readonly<Record<string, string>> =>
  eagerly(one, ({ shape, dtype }) => `${dtype}[${shape.join(', ')}]`);

function eagerly<Found extends string | Numbers>(
  one: KernelCase,
  read: (result: tf.Tensor) => Found,
): Readonly<Record<string, Found>> {
  return tf.tidy(() => {
    const given = one.inputs.map(({ spec, numbers }, index): [string, tf.Tensor] => [
      `${index}`,
      tf.tensor(numbers.slice(), [...spec.shape], spec.dtype),
    ]);
    const { outputs } = withTitle(one, () => functionOf(one)({}, Object.fromEntries(given)));
    return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, read(tensor)]));
  });
}

/** What tfjs itself refuses names the draw. */
function withTitle<Result>({ title }: KernelCase, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw new Error(`${title}, seed ${seed}`, { cause });
  }
}

/** All cases in one session, those of a kernel in one program; nothing is rewritten, so that each kernel is there. */
export async function evaluateCompiled(
  cases: readonly KernelCase[],
  runner: Runner,
  xla: boolean,
): Promise<ReadonlyMap<KernelCase, Results>> {
  const kernels = [...new Set(cases.map(({ kernel }) => kernel))];
  const of = (kernel: string): KernelCase[] => cases.filter((one) => one.kernel === kernel);
  const programs = Object.fromEntries(
    kernels.map((kernel): [string, ProgramSpec] => {
      const inputs = of(kernel).flatMap(({ inputs: own }, index) =>
        own.map(({ spec }, position): [string, typeof spec] => [`${index} ${position}`, spec]),
      );
      return [kernel, { inputs: Object.fromEntries(inputs), run: together(of(kernel)), xla, passes: noPasses }];
    }),
  );
  const session = await compile({ runner, state: {}, programs });
  const results = new Map<KernelCase, Results>();
  for (const kernel of kernels) {
    const numbers = of(kernel).flatMap(({ inputs }, index) =>
      inputs.map(({ numbers: own }, position): [string, Numbers] => [`${index} ${position}`, own]),
    );
    const outputs = Object.entries(session.run(kernel, Object.fromEntries(numbers)));
    of(kernel).forEach((one, index) => results.set(one, Object.fromEntries(below(outputs, index))));
  }
  session.dispose();
  return results;
}

const noPasses = Object.fromEntries(
  [
    'foldConstants',
    'scalarConstants',
    'broadcastOperands',
    'identities',
    'commonSubexpressions',
    'deadCode',
    'recompute',
  ].map((name) => [name, false]),
);

const together =
  (cases: readonly KernelCase[]): ProgramFunction =>
  (_, given) => {
    const outputs = cases.flatMap((one, index) => {
      const own = Object.fromEntries(below(Object.entries(given), index));
      return Object.entries(functionOf(one)({}, own).outputs).map(([name, tensor]): [string, tf.Tensor] => [
        `${index} ${name}`,
        tensor,
      ]);
    });
    return { outputs: Object.fromEntries(outputs) };
  };

/** The entries whose names begin with a number, without it. */
const below = <Item>(entries: readonly (readonly [string, Item])[], index: number): [string, Item][] =>
  entries
    .filter(([name]) => name.startsWith(`${index} `))
    .map(([name, item]) => [name.slice(`${index} `.length), item]);
