/** Ways to compute a function of tensors: eagerly on a backend, or recorded and replayed by a runner. All must agree. */
import { compile } from '../../../engine/compile.js';
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import { prepareBackend } from '../../../engine/runners/kernels-backend.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { tensorflowRunner } from '../../../engine/runners/tensorflow.js';
import { tf } from '../../../engine/tf.js';
import { nativeOptions } from '../../support/native-engine.js';
import type { ModelName, NamedArray, NamedArrays } from './model-fixtures.js';

export type Tensors = Readonly<Record<string, tf.Tensor>>;
export type TensorFunction = (weights: Tensors, inputs: Tensors) => Tensors;

/** A function with its weights, ready for any inputs of the shapes that it was prepared for. */
interface Prepared {
  readonly run: (inputs: NamedArrays) => NamedArrays;
  readonly dispose: () => void;
}

type Prepare = (compute: TensorFunction, weights: NamedArrays, shapes: NamedArrays) => Promise<Prepared>;

export interface Evaluator {
  readonly name: string;
  readonly prepare: Prepare;
  /** Prepares, runs once, and disposes. */
  readonly evaluate: (compute: TensorFunction, weights: NamedArrays, inputs: NamedArrays) => Promise<NamedArrays>;
}

const evaluator = (name: string, prepare: Prepare): Evaluator => ({
  name,
  prepare,
  async evaluate(compute, weights, inputs) {
    const { run, dispose } = await prepare(compute, weights, inputs);
    try {
      return run(inputs);
    } finally {
      dispose();
    }
  },
});

const eager = (backend: 'cpu' | 'wasm'): Evaluator =>
  evaluator(`eager ${backend}`, async (compute, weights) => {
    await prepareBackend(backend);
    return {
      run(inputs) {
        const before = tf.memory().numTensors;
        const results: Record<string, NamedArray> = {};
        tf.tidy(() => {
          for (const [name, tensor] of Object.entries(compute(tensorsOf(weights), tensorsOf(inputs))))
            results[name] = { shape: tensor.shape, values: Float32Array.from(tensor.dataSync()) };
        });
        if (tf.memory().numTensors !== before) throw new Error('Expected every tensor to be freed.');
        return results;
      },
      dispose: () => undefined,
    };
  });

const compiled = (name: string, runnerOf: () => Promise<Runner>, xla = false): Evaluator =>
  evaluator(`compiled ${name}`, async (compute, weights, inputs) => {
    const shapes: Record<string, readonly number[]> = {};
    const session = await compile({
      runner: await runnerOf(),
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
    session.write(valuesOf(weights));
    return {
      run: (fed) =>
        Object.fromEntries(
          Object.entries(session.run('compute', valuesOf(fed))).map(([output, values]) => [
            output,
            { shape: shapes[output] ?? [], values: Float32Array.from(values) },
          ]),
        ),
      dispose: () => session.dispose(),
    };
  });

async function nativeRunner(): Promise<Runner> {
  return tensorflowRunner(await nativeOptions());
}

const wasm = compiled('wasm', () => Promise.resolve(kernelsRunner({ backend: 'wasm' })));
const graph = compiled('tensorflow', nativeRunner);
const xla = compiled('tensorflow xla', nativeRunner, true);

/** Plain JavaScript takes seconds for a backward pass and XLA for each program: they are tried on one family. */
export const evaluatorsFor = (model: ModelName): readonly Evaluator[] =>
  model === 'qwen3-qknorm' ? [eager('cpu'), eager('wasm'), wasm, graph, xla] : [eager('wasm'), wasm, graph];

/** Eagerly, 1,024 positions take tfjs a minute. */
export const compiledEvaluatorsFor = (model: ModelName): readonly Evaluator[] =>
  evaluatorsFor(model).filter(({ name }) => !name.startsWith('eager'));

const dtypeOf = ({ values }: NamedArray) => (values instanceof Int32Array ? 'int32' : 'float32');

const mapped = <From, To>(record: Readonly<Record<string, From>>, convert: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, convert(value)]));

const tensorsOf = (arrays: NamedArrays) =>
  mapped(arrays, (array) => tf.tensor(array.values, [...array.shape], dtypeOf(array)));
const specsOf = (arrays: NamedArrays) =>
  mapped(arrays, (array) => ({ shape: array.shape, dtype: dtypeOf(array) }) as const);
const valuesOf = (arrays: NamedArrays) => mapped(arrays, ({ values }) => values);
