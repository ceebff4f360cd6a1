/** Ways to compute a function of tensors: eagerly on a backend, or recorded and replayed by a runner. All must agree. */
import { compile } from '../../../engine/compile.js';
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import { prepareBackend } from '../../../engine/runners/kernels-backend.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { tensorflowRunner } from '../../../engine/runners/tensorflow.js';
import { tf } from '../../../engine/tf.js';
import { nativePackageDirectory } from '../../support/native-engine.js';
import { temporaryDirectory } from '../../support/temporary.js';
import type { NamedArray, NamedArrays } from './model-fixtures.js';

export type Tensors = Readonly<Record<string, tf.Tensor>>;
export type TensorFunction = (weights: Tensors, inputs: Tensors) => Tensors;

export interface Evaluator {
  readonly name: string;
  readonly evaluate: (compute: TensorFunction, weights: NamedArrays, inputs: NamedArrays) => Promise<NamedArrays>;
}

const eager = (backend: 'cpu' | 'wasm'): Evaluator => ({
  name: `eager ${backend}`,
  async evaluate(compute, weights, inputs) {
    await prepareBackend(backend);
    const before = tf.memory().numTensors;
    const results: Record<string, NamedArray> = {};
    tf.tidy(() => {
      for (const [name, tensor] of Object.entries(compute(tensorsOf(weights), tensorsOf(inputs))))
        results[name] = { shape: tensor.shape, values: Float32Array.from(tensor.dataSync()) };
    });
    if (tf.memory().numTensors !== before) throw new Error('Expected every tensor to be freed.');
    return results;
  },
});

const compiled = (name: string, runnerOf: () => Promise<Runner>, xla = false): Evaluator => ({
  name: `compiled ${name}`,
  async evaluate(compute, weights, inputs) {
    const runner = await runnerOf();
    const shapes: Record<string, readonly number[]> = {};
    const session = await compile({
      runner,
      state: specsOf(weights),
      programs: {
        compute: {
          xla,
          inputs: specsOf(inputs),
          run: (state, fed) => {
            const outputs = compute(state, fed);
            for (const [output, { shape }] of Object.entries(outputs)) shapes[output] = shape;
            return { outputs };
          },
        },
      },
    });
    try {
      session.write(valuesOf(weights));
      const results = Object.entries(session.run('compute', valuesOf(inputs)));
      return Object.fromEntries(
        results.map(([output, values]) => [output, { shape: shapes[output] ?? [], values: Float32Array.from(values) }]),
      );
    } finally {
      session.dispose();
    }
  },
});

async function nativeRunner(): Promise<Runner> {
  const packageDirectory = await nativePackageDirectory();
  return tensorflowRunner({ packageDirectory, cacheDirectory: temporaryDirectory() });
}

export const evaluators: readonly Evaluator[] = [
  eager('cpu'),
  eager('wasm'),
  compiled('wasm', () => Promise.resolve(kernelsRunner({ backend: 'wasm' }))),
  compiled('tensorflow', nativeRunner),
  compiled('tensorflow xla', nativeRunner, true),
];

/** Without tfjs's cpu backend, which takes a minute for 1,024 positions. */
export const fastEvaluators: readonly Evaluator[] = evaluators.filter(({ name }) => name !== 'eager cpu');

const dtypeOf = ({ values }: NamedArray) => (values instanceof Int32Array ? 'int32' : 'float32');

const mapped = <From, To>(record: Readonly<Record<string, From>>, convert: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, convert(value)]));

const tensorsOf = (arrays: NamedArrays) =>
  mapped(arrays, (array) => tf.tensor(array.values, [...array.shape], dtypeOf(array)));
const specsOf = (arrays: NamedArrays) =>
  mapped(arrays, (array) => ({ shape: array.shape, dtype: dtypeOf(array) }) as const);
const valuesOf = (arrays: NamedArrays) => mapped(arrays, ({ values }) => values);
