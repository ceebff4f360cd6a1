/**
 * Causal attention with grouped queries (Ainslie et al. 2023). The queries of a group lie one after another along the token
 * axis, so one batched product over key heads serves all of them and no key is ever repeated.
 *
 * B rows, T tokens a row, H query heads, K key heads, G = H / K queries a key head, Q = G·T, E head size.
 */
import { restored, withGradient } from '../kernels/with-gradient.js';
import { tf } from '../tf.js';

/** What a score becomes where a token must not look. */
const hidden = -1e9;

/**
 * Which keys a token may look at: those up to its own place in the row and, with segments, of its own segment. A token always
 * sees itself, so no row of scores is wholly hidden and padding yields numbers.
 * @returns bool [1 or B, 1, G·T, T].
 */
export function causalMask(tokens: number, groups: number, segments_BT?: tf.Tensor2D): tf.Tensor4D {
  const places_T = Array.from({ length: tokens }, (_, place) => place);
  const queries = tf.tensor4d(
    Array.from({ length: groups }, () => places_T).flat(),
    [1, 1, groups * tokens, 1],
    'int32',
  );
  const keys = tf.tensor4d(places_T, [1, 1, 1, tokens], 'int32');
  const before = tf.lessEqual<tf.Tensor4D>(keys, queries);
  if (segments_BT === undefined) return before;
  const [rows] = segments_BT.shape;
  const repeated = groups === 1 ? segments_BT : tf.tile(segments_BT, [1, groups]);
  const same = tf.equal<tf.Tensor4D>(
    tf.reshape(repeated, [rows, 1, groups * tokens, 1]),
    tf.reshape(segments_BT, [rows, 1, 1, tokens]),
  );
  return tf.logicalAnd(same, before);
}

/** Some tokens of a row, and how many keys the last of them sees. */
interface Block {
  readonly begin: number;
  readonly end: number;
}

/** One block where the tokens do not divide evenly. */
function blocksOf(tokens: number, tokensPerBlock: number): readonly Block[] {
  if (tokens % tokensPerBlock !== 0) return [{ begin: 0, end: tokens }];
  return Array.from({ length: tokens / tokensPerBlock }, (_, index) => ({
    begin: index * tokensPerBlock,
    end: (index + 1) * tokensPerBlock,
  }));
}

/**
 * softmax(q·kᵀ/√E)·v where the mask allows, in blocks of queries, each against the keys up to its end only: of T tokens in n
 * blocks (n+1)/2n of the work of all pairs. Per block six kernels forward, nine backward.
 * @param queries_BKQE Q = G·T queries of each key head, as many for every one of its T keys.
 * @param mask bool, [1 or B, 1, Q, T]: nothing behind a token's own place is allowed.
 * @param tokensPerBlock tokens whose queries make a block
 */
export function causalAttention(
  queries_BKQE: tf.Tensor4D,
  keys_BKTE: tf.Tensor4D,
  values_BKTE: tf.Tensor4D,
  mask: tf.Tensor4D,
  tokensPerBlock = 128,
): tf.Tensor4D {
  const [, , tokens, size] = keys_BKTE.shape;
  const scale = 1 / Math.sqrt(size);
  const blocks = blocksOf(tokens, tokensPerBlock);
  return withGradient<tf.Rank.R4>([queries_BKQE, keys_BKTE, values_BKTE], () => {
    const scaled_BKQE = tf.mul<tf.Tensor4D>(queries_BKQE, scale);
    const weights = blocks.map((block) => {
      const queries = queriesOf(scaled_BKQE, tokens, block);
      const scores = tf.matMul(queries, seen(keys_BKTE, block), false, true);
      return tf.softmax(tf.where(maskOf(mask, tokens, block), scores, hidden));
    });
    const mixed_BKQE = joinedQueries(
      blocks.map((block, index) => tf.matMul(restored(weights, index), seen(values_BKTE, block))),
      tokens,
    );
    return {
      value: mixed_BKQE,
      saved: [scaled_BKQE, keys_BKTE, values_BKTE, mixed_BKQE, ...weights],
      gradients: (dy_BKQE, saved) => {
        const { queries, keys, values } = backward(dy_BKQE, saved, blocks, tokens);
        return [tf.mul(queries, scale), keys, values];
      },
    };
  });
}

/** @param saved scaled queries, keys, values, the result, and the weights of each block */
function backward(dy_BKQE: tf.Tensor, saved: readonly tf.Tensor[], blocks: readonly Block[], tokens: number) {
  const [scaled, keys] = [restored(saved, 0), restored(saved, 1)];
  const [values, mixed] = [restored(saved, 2), restored(saved, 3)];
  // Σ dweights·weights over the keys equals Σ dy·mixed over the head (Dao et al. 2022): no product of scores' size.
  const projections = tf.sum(tf.mul(dy_BKQE, mixed), -1, true);
  const parts = blocks.map((block, index) => {
    const weights = restored(saved, index + 4);
    const dy = queriesOf(dy_BKQE, tokens, block);
    const dweights = tf.matMul(dy, seen(values, block), false, true);
    const dscores = tf.mul(weights, tf.sub(dweights, queriesOf(projections, tokens, block)));
    return {
      queries: tf.matMul(dscores, seen(keys, block)),
      keys: padded(tf.matMul(dscores, queriesOf(scaled, tokens, block), true, false), tokens),
      values: padded(tf.matMul(weights, dy, true, false), tokens),
    };
  });
  const queries = parts.map((part) => part.queries);
  return {
    queries: joinedQueries(queries, tokens),
    keys: added(parts.map((part) => part.keys)),
    values: added(parts.map((part) => part.values)),
  };
}

/** The rows of a block's tokens from [B, K, G·T, X]: those of every query of the group. */
function queriesOf(all: tf.Tensor, tokens: number, { begin, end }: Block): tf.Tensor {
  const [rows = 1, heads = 1, queries = 1, width = 1] = all.shape;
  if (end - begin === tokens) return all;
  const groups = queries / tokens;
  const grouped = tf.reshape(all, [rows, heads, groups, tokens, width]);
  const block = tf.slice(grouped, [0, 0, 0, begin, 0], [rows, heads, groups, end - begin, width]);
  return tf.reshape(block, [rows, heads, groups * (end - begin), width]);
}

/** The inverse of `queriesOf` over all blocks. */
function joinedQueries(blocks: readonly tf.Tensor[], tokens: number): tf.Tensor {
  const [first] = blocks;
  if (first === undefined) throw new TypeError('Expected a block.');
  const [rows = 1, heads = 1, queries = 1, width = 1] = first.shape;
  if (blocks.length === 1) return first;
  const groups = (queries * blocks.length) / tokens;
  const grouped = blocks.map((block) => tf.reshape(block, [rows, heads, groups, tokens / blocks.length, width]));
  return tf.reshape(tf.concat(grouped, 3), [rows, heads, groups * tokens, width]);
}

/** The keys or values [B, K, T, E] up to the end of a block. */
function seen(all: tf.Tensor, { end }: Block): tf.Tensor {
  const [rows = 1, heads = 1, tokens = 1, width = 1] = all.shape;
  return end === tokens ? all : tf.slice(all, [0, 0, 0, 0], [rows, heads, end, width]);
}

function maskOf(mask: tf.Tensor4D, tokens: number, block: Block): tf.Tensor {
  const rows = queriesOf(mask, tokens, block);
  const [batch = 1, , queries = 1] = rows.shape;
  return block.end === tokens ? rows : tf.slice(rows, [0, 0, 0, 0], [batch, 1, queries, block.end]);
}

/** Gradients of the first keys, with zeros for those that the block did not see. */
function padded(gradient: tf.Tensor, tokens: number): tf.Tensor {
  const missing = tokens - (gradient.shape[2] ?? tokens);
  if (missing === 0) return gradient;
  return tf.pad(gradient, [
    [0, 0],
    [0, 0],
    [0, missing],
    [0, 0],
  ]);
}

const added = (tensors: readonly tf.Tensor[]): tf.Tensor => {
  const [first] = tensors;
  return tensors.length === 1 && first !== undefined ? first : tf.addN([...tensors]);
};
