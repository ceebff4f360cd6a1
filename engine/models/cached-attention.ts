/**
 * Attention of one new token per slot over its cache and itself. The new key is not in the cache yet: its score stands beside
 * those of the cache, so nothing is written before it is read. No gradient.
 *
 * B slots, K key heads, G queries a key head, C capacity of a slot, E head size.
 */
import { tf } from '../tf.js';
import type { Heads } from './heads.js';

/** What a score becomes where the cache is not filled. */
const hidden = -1e9;

/**
 * @param heads of one token a slot.
 * @param positions_B int32, how much of the cache is filled.
 */
export function attendWithCache(
  { queries_BKQE: queries_BKGE, keys_BKTE: keys_BK1E, values_BKTE: values_BK1E }: Heads,
  cachedKeys_BKCE: tf.Tensor4D,
  cachedValues_BKCE: tf.Tensor4D,
  positions_B: tf.Tensor1D,
): tf.Tensor4D {
  const [slots, , capacity, headSize] = cachedKeys_BKCE.shape;
  const scaled_BKGE = tf.mul(queries_BKGE, 1 / Math.sqrt(headSize));
  const places = tf.reshape<tf.Rank.R4>(tf.range(0, capacity, 1, 'int32'), [1, 1, 1, capacity]);
  const filled_B11C = tf.less<tf.Tensor4D>(places, tf.reshape<tf.Rank.R4>(positions_B, [slots, 1, 1, 1]));
  const scores_BKGC = tf.matMul<tf.Tensor4D>(scaled_BKGE, cachedKeys_BKCE, false, true);
  const cachedScores_BKGC = tf.where<tf.Tensor4D>(filled_B11C, scores_BKGC, hidden);
  const ownScore_BKG1 = tf.sum<tf.Tensor4D>(tf.mul(scaled_BKGE, keys_BK1E), -1, true);
  const weights = tf.softmax<tf.Tensor4D>(tf.concat([cachedScores_BKGC, ownScore_BKG1], -1));
  const [cachedWeights_BKGC, ownWeight_BKG1] = tf.split<tf.Tensor4D>(weights, [capacity, 1], -1);
  if (cachedWeights_BKGC === undefined || ownWeight_BKG1 === undefined) throw new TypeError('Expected two parts.');
  return tf.add(tf.matMul(cachedWeights_BKGC, cachedValues_BKCE), tf.mul(ownWeight_BKG1, values_BK1E));
}
