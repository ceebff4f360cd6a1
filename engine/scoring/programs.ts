/**
 * The programs of a scorer, one for each length of rows: a forward pass over packed rows, then logits chunk of tokens after
 * chunk of tokens. Logits never leave the program; what does is as small as the answer.
 *
 * B rows of T tokens, N = B·T, n tokens of a chunk, V vocabulary, K kept ids.
 */
import type { ProgramSpec } from '../compile.js';
import type { ModelConfig } from '../files/model-config.js';
import { replaceRows } from '../kernels/replace-rows.js';
import { hiddenStates, logits } from '../models/decoder.js';
import { tf } from '../tf.js';
import type { TensorSpec } from '../tracing/tensor-spec.js';
import { namedTensor, type Tensors } from '../tracing/tensors.js';
import { chunksOf, inChunks } from './chunks.js';
import { topLogits } from './top-k.js';

export interface ScoringShape {
  /** Lengths of rows, ascending; a sequence goes into rows of the first length that it fits into. */
  readonly rowLengths: readonly number[];
  /** Tokens of a batch; at least one row. */
  readonly batchTokens: number;
  /** How many ids are kept at each position. */
  readonly topK: number;
  readonly temperatures: readonly number[];
  /** How many logits may be in memory at once: those of more tokens are made in chunks. */
  readonly logitNumbers: number;
}

export const scoreName = (rowLength: number): string => `score ${rowLength}`;
export const restName = (temperature: number): string => `rest at ${temperature}`;

export const rowsOf = ({ batchTokens }: ScoringShape, rowLength: number): number =>
  Math.max(1, Math.floor(batchTokens / rowLength));

/** The temperatures for which sums are made: log-probabilities of given tokens are always those at 1. */
const summedTemperatures = ({ temperatures }: ScoringShape): readonly number[] => [...new Set([1, ...temperatures])];

export function scoringPrograms(
  config: ModelConfig,
  shape: ScoringShape,
  compiled: Required<Pick<ProgramSpec, 'xla' | 'precision'>>,
): Record<string, ProgramSpec> {
  return Object.fromEntries(
    shape.rowLengths.map((tokens): [string, ProgramSpec] => {
      const rows = rowsOf(shape, tokens);
      const ofBatch: TensorSpec = { shape: [rows, tokens], dtype: 'int32' };
      const inputs = { ids: ofBatch, positions: ofBatch, segments: ofBatch, next: ofBatch };
      return [
        scoreName(tokens),
        { ...compiled, inputs, run: (state, fed) => ({ outputs: scoreRows(config, shape, state, fed) }) },
      ];
    }),
  );
}

function scoreRows(config: ModelConfig, shape: ScoringShape, weights: Tensors, inputs: Tensors): Tensors {
  const [rows = 0, length = 0] = namedTensor(inputs, 'ids').shape;
  const matrix = (name: string): tf.Tensor2D => namedTensor(inputs, name).as2D(rows, length);
  const hidden_ND = hiddenStates(config, weights, {
    ids_BT: matrix('ids'),
    positions_BT: matrix('positions'),
    segments_BT: matrix('segments'),
  });
  const tokens = rows * length;
  const next_N = tf.reshape<tf.Rank.R1>(matrix('next'), [tokens]);
  return inChunks(chunksOf(tokens, config.vocabularySize, shape.logitNumbers), (rowsOfChunk, { begin, size }) =>
    scoreChunk(shape, logits(config, weights, rowsOfChunk(hidden_ND)), tf.slice(next_N, begin, size)),
  );
}

/**
 * Numbers of the tokens of one chunk: `topIds` and `topLogits` [n, K], `nextLogits` [n], and for each temperature the rest [n],
 * Σ exp((z − z_max) / temperature) over all ids but the kept ones.
 */
function scoreChunk(shape: ScoringShape, logits_nV: tf.Tensor2D, next_n: tf.Tensor1D): Tensors {
  const [tokens, vocabulary] = logits_nV.shape;
  const { logits_NK, ids_NK } = topLogits(logits_nV, shape.topK);
  const rows_n = tf.range(0, tokens, 1, 'int32');
  const nextLogits = tf.gatherND(logits_nV, tf.stack([rows_n, next_n], 1));
  // The kept ids are taken out, so that what is left is a sum of its own and not a difference of two nearly equal ones.
  const kept_nK = tf.add(tf.reshape(tf.mul(rows_n, tf.scalar(vocabulary, 'int32')), [tokens, 1]), ids_NK);
  const places = tf.reshape<tf.Rank.R1>(kept_nK, [tokens * shape.topK]);
  const none = tf.fill([tokens * shape.topK, 1], -1e30);
  const others_nV = tf.reshape(replaceRows(tf.reshape(logits_nV, [-1, 1]), places, none), [tokens, vocabulary]);
  const below_nV = tf.sub(others_nV, tf.slice(logits_NK, [0, 0], [tokens, 1]));
  const rests = summedTemperatures(shape).map((temperature): [string, tf.Tensor] => [
    restName(temperature),
    tf.sum(tf.exp(temperature === 1 ? below_nV : tf.mul(below_nV, 1 / temperature)), 1),
  ]);
  return { topIds: ids_NK, topLogits: logits_NK, nextLogits, ...Object.fromEntries(rests) };
}
