/** Reading and placing a few entries of each row of a matrix, by int32 column ids: no one-hot, no flat index that overflows. */
import { tf } from '../../tf.js';

/** Positions [N, K, 2] of the entries with these column ids. */
export function entryPositions(ids_NK: tf.Tensor2D): tf.Tensor3D {
  const [tokens, kept] = ids_NK.shape;
  const rows_NK = tf.tile(tf.reshape(tf.range(0, tokens, 1, 'int32'), [tokens, 1]), [1, kept]);
  return tf.stack<tf.Tensor2D>([rows_NK as tf.Tensor2D, ids_NK], 2) as tf.Tensor3D;
}

/** matrix[n, ids[n, k]] */
export const readEntries = (matrix_NV: tf.Tensor2D, positions_NK2: tf.Tensor3D): tf.Tensor2D =>
  tf.gatherND(matrix_NV, positions_NK2) as tf.Tensor2D;

/** A matrix of zeros but for these entries; entries of one position add. */
export const placeEntries = (
  entries_NK: tf.Tensor2D,
  positions_NK2: tf.Tensor3D,
  vocabularySize: number,
): tf.Tensor2D => tf.scatterND(positions_NK2, entries_NK, [entries_NK.shape[0], vocabularySize]);
