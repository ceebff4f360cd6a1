import { causalAttention, causalMask } from '../../../../engine/models/attention.js';
import { swiGlu } from '../../../../engine/models/feed-forward.js';
import { addBias, addResidual, pickRows } from '../../../../engine/models/linear.js';
import { rmsNorm } from '../../../../engine/models/rms-norm.js';
import { rotate, rotation } from '../../../../engine/models/rotary.js';
import { prepareBackend } from '../../../../engine/runners/kernels-backend.js';
import { tf } from '../../../../engine/tf.js';
import { createRandom } from '../../../../engine/training/random.js';

interface Comparison {
  readonly name: string;
  readonly shapes: readonly number[][];
  readonly ours: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** The same in plain tfjs, whose own gradients count as true. */
  readonly plain: (...inputs: tf.Tensor[]) => tf.Tensor;
}

const first = <Shape extends tf.Tensor>(inputs: tf.Tensor[], index: number): Shape => inputs[index] as Shape;
const [rows, keyHeads, groups, tokens, size] = [2, 2, 3, 5, 4];
const segments = () => tf.tensor2d([1, 1, 2, 2, 0, 3, 3, 3, 3, 3], [rows, tokens], 'int32');
const turn = () =>
  rotation(
    { headSize: size, rope: { theta: 100 } },
    tf.tensor2d([0, 1, 0, 1, 0, 0, 1, 2, 3, 4], [rows, tokens], 'int32'),
  );

const plainNorm = (x: tf.Tensor, weight: tf.Tensor): tf.Tensor =>
  tf.mul(weight, tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-3))));

const attentionIn = (name: string, tokensPerBlock: number): Comparison => ({
  name: `grouped attention within segments in ${name}, keys repeated`,
  shapes: [[rows, keyHeads, groups * tokens, size], ...Array<number[]>(2).fill([rows, keyHeads, tokens, size])],
  ours: (...inputs) =>
    causalAttention(
      first(inputs, 0),
      first(inputs, 1),
      first(inputs, 2),
      causalMask(tokens, groups, segments()),
      tokensPerBlock,
    ),
  plain: (...inputs) => {
    const heads = (tensor: tf.Tensor, each: number) => tf.reshape(tensor, [rows, keyHeads, each, tokens, size]);
    const repeated = (index: number) => tf.concat(Array<tf.Tensor>(groups).fill(heads(first(inputs, index), 1)), 2);
    const scores = tf.div(tf.matMul(heads(first(inputs, 0), groups), repeated(1), false, true), Math.sqrt(size));
    const ids = segments().arraySync();
    const allowed = ids.map((row) =>
      row.map((own, query) => row.map((id, key) => (id === own && key <= query ? 0 : -1e9))),
    );
    const masked = tf.add(scores, tf.reshape(tf.tensor3d(allowed), [rows, 1, 1, tokens, tokens]));
    const mixed = tf.matMul(tf.softmax(masked), repeated(2));
    return tf.reshape(mixed, [rows, keyHeads, groups * tokens, size]);
  },
});

const comparisons: readonly Comparison[] = [
  {
    name: 'a norm of rows',
    shapes: [[3, 6], [6]],
    ours: (...inputs) => rmsNorm(first<tf.Tensor2D>(inputs, 0), first(inputs, 1), 1e-3),
    plain: (...inputs) => plainNorm(first(inputs, 0), first(inputs, 1)),
  },
  {
    name: 'a norm of heads, one weight a head',
    shapes: [
      [rows, 3, tokens, size],
      [3, 1, size],
    ],
    ours: (...inputs) => rmsNorm(first<tf.Tensor4D>(inputs, 0), first(inputs, 1), 1e-3),
    plain: (...inputs) => plainNorm(first(inputs, 0), first(inputs, 1)),
  },
  {
    name: 'the gated unit',
    shapes: [
      [3, 5],
      [3, 5],
    ],
    ours: (...inputs) => swiGlu(first(inputs, 0), first(inputs, 1)),
    plain: (...inputs) => tf.mul(tf.mul(first(inputs, 0), tf.sigmoid(first(inputs, 0))), first(inputs, 1)),
  },
  {
    name: 'a rotation',
    shapes: [[rows, keyHeads, tokens, size]],
    ours: (...inputs) => rotate(first(inputs, 0), turn()),
    plain: (...inputs) => {
      const { cosine_B1TE, signedSine_B1TE } = turn();
      const half = size / 2;
      const low = tf.slice(first(inputs, 0), [0, 0, 0, 0], [-1, -1, -1, half]);
      const high = tf.slice(first(inputs, 0), [0, 0, 0, half], [-1, -1, -1, half]);
      return tf.add(tf.mul(first(inputs, 0), cosine_B1TE), tf.mul(tf.concat([high, low], 3), signedSine_B1TE));
    },
  },
  attentionIn('one block', tokens),
  attentionIn('a block for each token', 1),
  {
    name: 'a bias',
    shapes: [[3, 5], [5]],
    ours: (...inputs) => addBias(first(inputs, 0), first(inputs, 1)),
    plain: (...inputs) => tf.add(first(inputs, 0), first(inputs, 1)),
  },
  {
    name: 'a residual that is used again',
    shapes: [[3, 5]],
    ours: (...inputs) => addResidual(first(inputs, 0), tf.square(addResidual(first(inputs, 0), first(inputs, 0)))),
    plain: (...inputs) => tf.add(first(inputs, 0), tf.mul(4, tf.square(first(inputs, 0)))),
  },
  {
    name: 'rows picked twice and never',
    shapes: [[4, 3]],
    ours: (...inputs) => pickRows(first(inputs, 0), tf.tensor1d([2, 0, 2], 'int32')),
    plain: (...inputs) => tf.gather(first(inputs, 0), tf.tensor1d([2, 0, 2], 'int32')),
  },
];

const random = (name: string, shape: number[]): tf.Tensor => {
  const { normal } = createRandom(1, name);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((product, length) => product * length, 1) }, normal),
    shape,
  );
};

test.each(comparisons)(
  'value and gradients of $name are those of plain operations',
  async ({ name, shapes, ours, plain }) => {
    await prepareBackend('cpu');
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const inputs = shapes.map((shape, index) => random(`${name}/${index}`, shape));
      const dy = random(`${name}/dy`, plain(...inputs).shape);
      const [found, expected] = [ours, plain].map((compute) => {
        const weighted = (...given: tf.Tensor[]): tf.Scalar => tf.sum(tf.mul(compute(...given), dy));
        return [compute(...inputs), ...tf.grads(weighted)(inputs)].map((tensor) => [...tensor.dataSync()]);
      });
      expected?.forEach((values, index) => {
        values.forEach((value, place) => expect(found?.[index]?.[place]).toBeCloseTo(value, 4));
        expect(found?.[index]).toHaveLength(values.length);
      });
    });
    expect(tf.memory().numTensors).toBe(before);
  },
);
