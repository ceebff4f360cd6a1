/**
 * Causal attention with grouped queries (Ainslie et al. 2023). The queries of a group lie one after another along the token
 * axis, so one batched product over key heads serves all of them and no key is ever repeated.
 *
 * B rows, T tokens a row, H query heads, K key heads, G = H / K queries a key head, E head size, S keys that are looked at.
 */
import { tf } from '../tf.js';
import { restored, withGradient } from './with-gradient.js';

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

/**
 * softmax(q·kᵀ/√E)·v where the mask allows. Six kernels forward, nine backward.
 * @param queries_BKQE Q = G·T queries of each key head.
 * @param mask bool, broadcast to [B, K, Q, S].
 */
export function attention(
  queries_BKQE: tf.Tensor4D,
  keys_BKSE: tf.Tensor4D,
  values_BKSE: tf.Tensor4D,
  mask: tf.Tensor4D,
): tf.Tensor4D {
  const scale = 1 / Math.sqrt(queries_BKQE.shape[3]);
  return withGradient<tf.Rank.R4>([queries_BKQE, keys_BKSE, values_BKSE], () => {
    const scaled_BKQE = tf.mul(queries_BKQE, scale);
    const scores_BKQS = tf.matMul(scaled_BKQE, keys_BKSE, false, true);
    const weights_BKQS = tf.softmax(tf.where(mask, scores_BKQS, hidden));
    const mixed_BKQE = tf.matMul(weights_BKQS, values_BKSE);
    return {
      value: mixed_BKQE,
      saved: [scaled_BKQE, keys_BKSE, values_BKSE, weights_BKQS, mixed_BKQE],
      gradients: (dy, saved) => {
        const [scaled, keys, values] = [restored(saved, 0), restored(saved, 1), restored(saved, 2)];
        const [weights, mixed] = [restored(saved, 3), restored(saved, 4)];
        // Σ dweights·weights over the keys equals Σ dy·mixed over the head (Dao et al. 2022): no product of scores' size.
        const projection = tf.sum(tf.mul(dy, mixed), -1, true);
        const dscores = tf.mul(weights, tf.sub(tf.matMul(dy, values, false, true), projection));
        const dqueries = tf.mul(tf.matMul(dscores, keys), scale);
        return [dqueries, tf.matMul(dscores, scaled, true, false), tf.matMul(weights, dy, true, false)];
      },
    };
  });
}
