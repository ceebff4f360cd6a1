/** What decoders are made of, and every kernel that is differentiable, has the values and gradients that torch computes in float64. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, type ProgramSpec } from '../../../engine/compile.js';
import { tf } from '../../../engine/tf.js';
import type { Numbers } from '../../../engine/tracing/program.js';
import type { TensorSpec } from '../../../engine/tracing/tensor-spec.js';
import { trace } from '../../../engine/tracing/trace.js';
import { differentiable, gradientsAskedFor } from './kernels/gradients-asked-for.js';
import { operations, withoutVectors } from './kernels/torch-operations.js';
import { runnersUnderTest } from './runners-under-test.js';

interface Recorded extends TensorSpec {
  readonly values: readonly number[];
}

interface Reference {
  readonly name: string;
  readonly inputs: readonly Recorded[];
  readonly weights: Recorded;
  readonly result: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

const path = join(import.meta.dirname, '../../fixtures/kernels/gradients.json');
const references = JSON.parse(readFileSync(path, 'utf8')) as readonly Reference[];

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

const numbersOf = ({ dtype, values }: Recorded): Numbers => arrays[dtype].from(values);

function programOf({ name, inputs, weights }: Reference, xla: boolean): ProgramSpec {
  const operation = operations[name]!;
  return {
    xla,
    inputs: Object.fromEntries([...inputs, weights].map((spec, index) => [`${index}`, spec])),
    run: (_, given) => {
      const tensors = inputs.map((_input, index) => given[`${index}`]!);
      const loss = (...varied: tf.Tensor[]): tf.Scalar => {
        const queue = [...varied];
        const all = tensors.map((tensor) => (tensor.dtype === 'float32' ? queue.shift()! : tensor));
        return tf.sum(tf.mul(operation(...all), given[`${inputs.length}`]!));
      };
      const { grads } = tf.valueAndGrads(loss)(tensors.filter(({ dtype }) => dtype === 'float32'));
      const slopes = Object.fromEntries(grads.map((slope, index) => [`gradient ${index}`, slope]));
      return { outputs: { result: operation(...tensors), ...slopes } };
    },
  };
}

test('every kernel that tfjs differentiates has a vector of its gradient, or is listed with the reason why not', () => {
  const compared = gradientsAskedFor(() => {
    for (const one of references) {
      const { inputs, run } = programOf(one, false);
      trace(one.name, {}, inputs, run);
    }
  });
  const missing = differentiable.filter((kernel) => !compared.has(kernel));
  expect(Object.values(withoutVectors).flat().sort()).toEqual(missing.sort());
});

/** tfjs approximates erf to 2e-7; everything else is rounding to float32. */
const tolerance = 5e-6;

test.each(runnersUnderTest)(
  'values and gradients are those of torch within 5e-6: %s',
  async (_name, makeRunner, xla) => {
    expect(references.map(({ name }) => name)).toEqual(Object.keys(operations));
    const programs = Object.fromEntries(references.map((one) => [one.name, programOf(one, xla)]));
    const session = await compile({ runner: await makeRunner(), state: {}, programs });
    const differences = references.flatMap(({ name, inputs, weights, result, gradients }) => {
      const given = [...inputs, weights].map((recorded, index) => [`${index}`, numbersOf(recorded)] as const);
      const found = session.run(name, Object.fromEntries(given));
      return [
        [`${name}: result`, greatest(found['result'], result)] as const,
        ...gradients.map(
          (slope, index) => [`${name}: gradient ${index}`, greatest(found[`gradient ${index}`], slope)] as const,
        ),
      ].filter(([, difference]) => !(difference < tolerance));
    });
    session.dispose();
    expect(differences).toEqual([]);
  },
);

/** Relative to the greater of 1 and the reference; NaN where lengths differ. */
const greatest = (found: Numbers | undefined, expected: readonly number[]): number =>
  found?.length !== expected.length
    ? NaN
    : Math.max(...expected.map((value, at) => Math.abs(value - (found[at] ?? NaN)) / Math.max(1, Math.abs(value))));
