/**
 * A llama as a user of tfjs would write it: a plain function of tensors. Weights have their Hugging Face names and layout.
 * Shapes: B sequences of T tokens, N = B·T, D hidden, H heads of S, V vocabulary.
 */
import { tf } from '../../engine/tf.js';
import type { ModelShape } from '../engine-models.js';

const epsilon = 1e-5;
const ropeTheta = 10000;

type Weights = Readonly<Record<string, tf.Tensor>>;

export function logitsOf(weights: Weights, ids_BT: tf.Tensor2D, shape: ModelShape): tf.Tensor2D {
  const [batch, length] = ids_BT.shape;
  const rotate = rotary(length, shape.hiddenSize / shape.heads);
  const visible_TT = causalMask(length);
  const embedding_VD = weightOf(weights, 'model.embed_tokens.weight');
  let hidden_ND: tf.Tensor = tf.gather(embedding_VD, tf.reshape(ids_BT, [-1]));
  for (let layer = 0; layer < shape.layers; layer += 1) {
    const weight = (name: string): tf.Tensor => weightOf(weights, `model.layers.${layer}.${name}.weight`);
    const normed_ND = rmsNorm(hidden_ND, weight('input_layernorm'));
    const heads_BHTS = (name: string): tf.Tensor => {
      const projected_ND = linear(normed_ND, weight(`self_attn.${name}_proj`));
      return tf.transpose(tf.reshape(projected_ND, [batch, length, shape.heads, -1]), [0, 2, 1, 3]);
    };
    const query_BHTS = tf.mul(rotate(heads_BHTS('q')), (shape.hiddenSize / shape.heads) ** -0.5);
    const scores_BHTT = tf.matMul(query_BHTS, rotate(heads_BHTS('k')), false, true);
    const attention_BHTT = tf.softmax(tf.where(visible_TT, scores_BHTT, -1e9));
    const mixed_BHTS = tf.matMul(attention_BHTT, heads_BHTS('v'));
    const mixed_ND = tf.reshape(tf.transpose(mixed_BHTS, [0, 2, 1, 3]), [batch * length, shape.hiddenSize]);
    hidden_ND = tf.add(hidden_ND, linear(mixed_ND, weight('self_attn.o_proj')));
    const inner_ND = rmsNorm(hidden_ND, weight('post_attention_layernorm'));
    const gate = linear(inner_ND, weight('mlp.gate_proj'));
    const gated = tf.mul(tf.mul(gate, tf.sigmoid(gate)), linear(inner_ND, weight('mlp.up_proj')));
    hidden_ND = tf.add(hidden_ND, linear(gated, weight('mlp.down_proj')));
  }
  return tf.matMul(rmsNorm(hidden_ND, weightOf(weights, 'model.norm.weight')), embedding_VD, false, true);
}

function weightOf(weights: Weights, name: string): tf.Tensor {
  const weight = weights[name];
  if (weight === undefined) throw new TypeError(`the model has no weight ${name}`);
  return weight;
}

const linear = (x: tf.Tensor, weight: tf.Tensor): tf.Tensor => tf.matMul(x, weight, false, true);

const rmsNorm = (x: tf.Tensor, weight: tf.Tensor): tf.Tensor =>
  tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon))), weight);

function causalMask(length: number): tf.Tensor {
  const visible = Array.from({ length: length * length }, (_, index) =>
    index % length <= Math.floor(index / length) ? 1 : 0,
  );
  return tf.tensor(visible, [1, 1, length, length], 'bool');
}

/** The rotation of the first half of a head against the second. */
function rotary(length: number, headSize: number): (x_BHTS: tf.Tensor) => tf.Tensor {
  const angle = (index: number): number => {
    const [position, pair] = [Math.floor(index / headSize), index % (headSize / 2)];
    return position * ropeTheta ** ((-2 * pair) / headSize);
  };
  const table = (of: (angle: number) => number): tf.Tensor =>
    tf.tensor(
      Float32Array.from({ length: length * headSize }, (_, index) => of(angle(index))),
      [1, 1, length, headSize],
    );
  const [cosines, sines] = [table(Math.cos), table(Math.sin)];
  return (x_BHTS) => {
    const [first, second] = tf.split(x_BHTS, 2, 3);
    if (first === undefined || second === undefined) throw new TypeError('expected two halves of a head');
    return tf.add(tf.mul(x_BHTS, cosines), tf.mul(tf.concat([tf.neg(second), first], 3), sines));
  };
}
