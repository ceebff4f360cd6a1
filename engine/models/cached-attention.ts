/**
 * Attention of one new token per slot over its cache, in which its own key and value stand already. What lies behind the token
 * gets the weight 0 exactly, so no bit depends on what a former text has left there, as long as it is finite. No gradient.
 *
 * B slots, K key heads, G queries a key head, C capacity of a slot, E head size.
 */
import { tf } from '../tf.js';

/** What a score becomes where the cache is not filled. */
const hidden = -1e9;

/** Where a slot's token may look: up to its own place. bool [B, 1, 1, C]. */
export function filledPlaces(positions_B: tf.Tensor1D, capacity: number): tf.Tensor4D {
  const places = tf.reshape<tf.Rank.R4>(tf.range(0, capacity, 1, 'int32'), [1, 1, 1, capacity]);
  return tf.lessEqual<tf.Tensor4D>(places, tf.reshape<tf.Rank.R4>(positions_B, [positions_B.shape[0], 1, 1, 1]));
}

/** @param filled_B11C of `filledPlaces` */
export function attendToCache(
  queries_BKGE: tf.Tensor4D,
  keys_BKCE: tf.Tensor4D,
  values_BKCE: tf.Tensor4D,
  filled_B11C: tf.Tensor4D,
): tf.Tensor4D {
  const scaled_BKGE = tf.mul(queries_BKGE, 1 / Math.sqrt(queries_BKGE.shape[3]));
  const scores_BKGC = tf.matMul<tf.Tensor4D>(scaled_BKGE, keys_BKCE, false, true);
  const weights_BKGC = tf.softmax<tf.Tensor4D>(tf.where<tf.Tensor4D>(filled_B11C, scores_BKGC, hidden));
  return tf.matMul(weights_BKGC, values_BKCE);
}
