/** An update of some rows of a state variable, in place: a cache is not copied to gain a row. */
import type { tf } from '../tf.js';

export interface RowUpdate {
  readonly indices: tf.Tensor1D;
  readonly values: tf.Tensor;
}

/**
 * @param indices int32 [R], rows of the variable, each at most once
 * @param values [R, …], the new rows
 */
export const updateRows = (indices: tf.Tensor1D, values: tf.Tensor): RowUpdate => ({ indices, values });

export const isRowUpdate = (update: tf.Tensor | RowUpdate): update is RowUpdate =>
  typeof update === 'object' && update !== null && 'indices' in update && 'values' in update;
