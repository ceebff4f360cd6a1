/**
 * The last matrix product and the loss, chunk of tokens after chunk of tokens: logits of the whole batch never exist. Each
 * chunk's logits become its loss, its d-hidden and its share of d-head at once, in the forward pass; the backward pass only
 * multiplies by the incoming gradient. In a graph each chunk waits for the one before it. Value and gradients are those of the unchunked loss up to rounding.
 *
 * N tokens, D hidden size, V vocabulary.
 */
import { NightstillError } from '../../../config/errors.js';
import { after } from '../../kernels/order.js';
import { withGradient } from '../../models/with-gradient.js';
import { tf } from '../../tf.js';
import { handedOver, type LogitLoss, type Targets } from './loss.js';
import { meanOverTokens } from './reduction.js';

export interface ChunkedHead<T extends Targets> {
  readonly hidden_ND: tf.Tensor2D;
  /** The output weights as they lie in the file; logits = hidden · headᵀ. */
  readonly head_VD: tf.Tensor2D;
  /** How many chunks; N must be a multiple of it. */
  readonly chunks: number;
  readonly loss: LogitLoss<T>;
  readonly targets: T;
  readonly weights_N: tf.Tensor1D;
  /** Σ weights over all micro-batches of the step. */
  readonly globalTokenCount: tf.Scalar | number;
}

export interface HeadLoss {
  /** As of `meanOverTokens`; differentiable by hidden_ND and head_VD. */
  readonly value: tf.Scalar;
  /** The loss's parts, reduced alike; without gradient. */
  readonly parts: Readonly<Record<string, tf.Scalar>>;
}

/** @throws training-setting-invalid when N is not a multiple of the number of chunks. */
export function chunkedHeadLoss<T extends Targets>(head: ChunkedHead<T>): HeadLoss {
  const { hidden_ND, head_VD, chunks } = head;
  const [tokens] = hidden_ND.shape;
  if (!Number.isInteger(chunks) || chunks < 1 || tokens % chunks !== 0)
    throw new NightstillError(
      'training-setting-invalid',
      `${tokens} tokens cannot be cut into ${chunks} equal chunks.`,
    );
  let kept: Record<string, tf.Scalar> = {};
  const value = withGradient<tf.Rank.R0>([hidden_ND, head_VD], () => {
    const { sums, hiddenGradients, headGradient_VD } = allChunks(head, tokens / chunks);
    const { total, ...parts } = sums;
    kept = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, tf.keep(part)]));
    return {
      value: total,
      saved: [tf.concat(hiddenGradients, 0), headGradient_VD],
      gradients: (dy, saved) => saved.map((gradient) => tf.mul(gradient, dy)),
    };
  });
  return { value, parts: handedOver(kept) };
}

interface Sums {
  readonly total: tf.Scalar;
  readonly [part: string]: tf.Scalar;
}

interface ChunkResult {
  readonly sums: Sums;
  readonly hiddenGradient_ND: tf.Tensor2D;
  readonly headGradient_VD: tf.Tensor2D;
}

function allChunks<T extends Targets>(head: ChunkedHead<T>, size: number) {
  const { hidden_ND, chunks } = head;
  const first = oneChunk(head, rowsOf(hidden_ND, 0, size), 0, size);
  const hiddenGradients = [first.hiddenGradient_ND];
  let { sums, headGradient_VD } = first;
  for (let chunk = 1; chunk < chunks; chunk++) {
    const begin = chunk * size;
    const hidden = after(rowsOf(hidden_ND, begin, size), headGradient_VD);
    const next = oneChunk(head, hidden, begin, size);
    hiddenGradients.push(next.hiddenGradient_ND);
    const sum_VD = tf.add<tf.Tensor2D>(headGradient_VD, next.headGradient_VD);
    tf.dispose([headGradient_VD, next.headGradient_VD]);
    headGradient_VD = sum_VD;
    sums = added(sums, next.sums);
  }
  return { sums, hiddenGradients, headGradient_VD };
}

/** Loss and gradients of some tokens; all that is [tokens, vocabulary] is freed on return. */
function oneChunk<T extends Targets>(
  { head_VD, loss, targets, weights_N, globalTokenCount }: ChunkedHead<T>,
  hidden_ND: tf.Tensor2D,
  begin: number,
  size: number,
): ChunkResult {
  return tf.tidy(() => {
    const chunkWeights_N = tf.slice(weights_N, [begin], [size]);
    const mean = (values_N: tf.Tensor1D) => meanOverTokens(values_N, chunkWeights_N, globalTokenCount);
    const logits_NV = tf.matMul<tf.Tensor2D>(hidden_ND, head_VD, false, true);
    const { values_N, gradient_NV, parts } = loss(logits_NV, targetsOf(targets, begin, size));
    const factors_N1 = tf.expandDims(tf.div(chunkWeights_N, globalTokenCount), 1);
    const weighted_NV = tf.mul<tf.Tensor2D>(gradient_NV, factors_N1);
    const reduced = Object.entries(parts).map(([name, part_N]) => [name, mean(part_N)] as const);
    return {
      sums: { ...Object.fromEntries(reduced), total: mean(values_N) },
      hiddenGradient_ND: tf.matMul<tf.Tensor2D>(weighted_NV, head_VD),
      headGradient_VD: tf.matMul<tf.Tensor2D>(weighted_NV, hidden_ND, true, false),
    };
  });
}

const rowsOf = (matrix: tf.Tensor2D, begin: number, size: number): tf.Tensor2D =>
  tf.slice(matrix, [begin, 0], [size, -1]);

/** Row n of every target belongs to token n, and the loss gets those of its tokens. */
function targetsOf<T extends Targets>(targets: T, begin: number, size: number): T {
  const entries = Object.entries(targets).map(([name, tensor]): [string, tf.Tensor] => {
    const others = tensor.shape.slice(1);
    return [name, tf.slice(tensor, [begin, ...others.map(() => 0)], [size, ...others])];
  });
  return Object.fromEntries(entries) as T; // the names and ranks are those of `targets`
}

const added = (sums: Sums, others: Sums): Sums => ({
  ...Object.fromEntries(
    Object.entries(sums).map(([name, sum]) => [name, tf.add<tf.Scalar>(sum, others[name] ?? 0)] as const),
  ),
  total: tf.add(sums.total, others.total),
});
