/**
 * The last matrix product and the loss, chunk of tokens after chunk of tokens: logits of the whole batch never exist. Each
 * chunk's logits become its loss, its d-hidden and its share of d-head at once, in the forward pass; the backward pass only
 * multiplies by the incoming gradient. In a graph each chunk waits for the one before it. Value and gradients are those of the unchunked loss up to rounding.
 *
 * N tokens, D hidden size, V vocabulary.
 */
import { NightstillError } from '../../../config/errors.js';
import { after } from '../../kernels/order.js';
import { withGradient } from '../../kernels/with-gradient.js';
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
  const { hidden_ND, head_VD } = head;
  const chunks = chunksOf(head);
  let kept: Record<string, tf.Scalar> = {};
  const value = withGradient<tf.Rank.R0>([hidden_ND, head_VD], () => {
    const { sums, hiddenGradients, headGradient_VD } = allGradients(head, chunks);
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

/**
 * The same numbers without any gradient, as an evaluation wants them.
 * @throws training-setting-invalid when N is not a multiple of the number of chunks.
 */
export function chunkedHeadEvaluation<T extends Targets>(head: ChunkedHead<T>): HeadLoss {
  const [first, ...rest] = chunksOf(head);
  let sums = tf.tidy(() => lossOf(head, first, rowsOf(head.hidden_ND, first)).sums);
  for (const chunk of rest) {
    const hidden_ND = after(rowsOf(head.hidden_ND, chunk), sums.total);
    const next = tf.tidy(() => lossOf(head, chunk, hidden_ND).sums);
    sums = added(sums, next);
  }
  const { total, ...parts } = sums;
  return { value: total, parts };
}

interface Chunk {
  readonly begin: number;
  readonly size: number;
}

function chunksOf<T extends Targets>({ hidden_ND, chunks }: ChunkedHead<T>): readonly [Chunk, ...Chunk[]] {
  const [tokens] = hidden_ND.shape;
  const size = tokens / chunks;
  if (!Number.isInteger(chunks) || chunks < 1 || !Number.isInteger(size))
    throw new NightstillError(
      'training-setting-invalid',
      `${tokens} tokens cannot be cut into ${chunks} equal chunks.`,
    );
  const rest = Array.from({ length: chunks - 1 }, (_, index) => ({ begin: (index + 1) * size, size }));
  return [{ begin: 0, size }, ...rest];
}

interface Sums {
  readonly total: tf.Scalar;
  readonly [part: string]: tf.Scalar;
}

interface ChunkGradients {
  readonly sums: Sums;
  readonly hiddenGradient_ND: tf.Tensor2D;
  readonly headGradient_VD: tf.Tensor2D;
}

function allGradients<T extends Targets>(head: ChunkedHead<T>, [first, ...rest]: readonly [Chunk, ...Chunk[]]) {
  let latest = gradientsOf(head, first, rowsOf(head.hidden_ND, first));
  const hiddenGradients = [latest.hiddenGradient_ND];
  let { sums, headGradient_VD } = latest;
  for (const chunk of rest) {
    const ordered_ND = after(rowsOf(head.hidden_ND, chunk), latest.hiddenGradient_ND);
    latest = gradientsOf(head, chunk, after(ordered_ND, headGradient_VD));
    hiddenGradients.push(latest.hiddenGradient_ND);
    const sum_VD = tf.add<tf.Tensor2D>(headGradient_VD, latest.headGradient_VD);
    tf.dispose([headGradient_VD, latest.headGradient_VD]);
    headGradient_VD = sum_VD;
    sums = added(sums, latest.sums);
  }
  return { sums, hiddenGradients, headGradient_VD };
}

/** Loss and gradients of some tokens; all that is [tokens, vocabulary] is freed on return. */
function gradientsOf<T extends Targets>(head: ChunkedHead<T>, chunk: Chunk, hidden_ND: tf.Tensor2D): ChunkGradients {
  return tf.tidy(() => {
    const { sums, gradient_NV } = lossOf(head, chunk, hidden_ND);
    return {
      sums,
      hiddenGradient_ND: tf.matMul<tf.Tensor2D>(gradient_NV, head.head_VD),
      headGradient_VD: tf.matMul<tf.Tensor2D>(gradient_NV, hidden_ND, true, false),
    };
  });
}

/** What some tokens add to the value, and the derivative of that by their logits. */
function lossOf<T extends Targets>(head: ChunkedHead<T>, chunk: Chunk, hidden_ND: tf.Tensor2D) {
  const { head_VD, loss, targets, globalTokenCount } = head;
  const weights_N = tf.slice(head.weights_N, [chunk.begin], [chunk.size]);
  const mean = (values_N: tf.Tensor1D) => meanOverTokens(values_N, weights_N, globalTokenCount);
  const logits_NV = tf.matMul<tf.Tensor2D>(hidden_ND, head_VD, false, true);
  const { values_N, gradient_NV, parts } = loss(logits_NV, targetsOf(targets, chunk));
  const factors_N1 = tf.expandDims(tf.div(weights_N, globalTokenCount), 1);
  const reduced = Object.entries(parts).map(([name, part_N]) => [name, mean(part_N)] as const);
  const sums: Sums = { ...Object.fromEntries(reduced), total: mean(values_N) };
  return { sums, gradient_NV: tf.mul<tf.Tensor2D>(gradient_NV, factors_N1) };
}

const rowsOf = (matrix: tf.Tensor2D, { begin, size }: Chunk): tf.Tensor2D => tf.slice(matrix, [begin, 0], [size, -1]);

/** Row n of every target belongs to token n, and the loss gets those of its tokens. */
function targetsOf<T extends Targets>(targets: T, { begin, size }: Chunk): T {
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
