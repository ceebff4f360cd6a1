/**
 * Logits of some tokens after those of others: those of a whole batch never exist. The chunks are as few as the memory for logits
 * allows, and of one size but for the last, which may be shorter: the number of tokens need not be a multiple of anything.
 *
 * N tokens, n tokens of a chunk, D hidden size.
 */
import { after } from '../kernels/order.js';
import { tf } from '../tf.js';
import { namedTensor, type Tensors } from '../tracing/tensors.js';

interface Chunk {
  readonly begin: number;
  readonly size: number;
}

/** @param logitNumbers how many logits may be in memory at once */
export function chunksOf(tokens: number, vocabulary: number, logitNumbers: number): Chunk[] {
  const most = Math.max(1, Math.floor(logitNumbers / vocabulary));
  const size = Math.ceil(tokens / Math.ceil(tokens / most));
  const begins = Array.from({ length: Math.ceil(tokens / size) }, (_, index) => index * size);
  return begins.map((begin) => ({ begin, size: Math.min(size, tokens - begin) }));
}

/** The rows of a chunk of hidden states. */
type RowsOf = (hidden_ND: tf.Tensor2D) => tf.Tensor2D;

/**
 * Tensors that have a row for each token, made chunk by chunk.
 * @param make the rows of one chunk, from hidden states that it takes through `rowsOf`. The next chunk waits for the last tensor of
 *   what it returns: one that depends on all its logits and is float32, since XLA keeps no order behind others
 */
export function inChunks(chunks: readonly Chunk[], make: (rowsOf: RowsOf, chunk: Chunk) => Tensors): Tensors {
  const made: Tensors[] = [];
  for (const chunk of chunks) {
    const before = Object.values(made.at(-1) ?? {}).at(-1);
    made.push(
      make((hidden_ND) => {
        const rows_nD = tf.slice(hidden_ND, [chunk.begin, 0], [chunk.size, -1]);
        // A graph has no order but this one: it would make the next logits beside those of the chunk before.
        return before === undefined ? rows_nD : after(rows_nD, before);
      }, chunk),
    );
  }
  const [first = {}, ...rest] = made;
  if (rest.length === 0) return first;
  const names = Object.keys(first);
  return Object.fromEntries(names.map((name) => [name, tf.concat(made.map((part) => namedTensor(part, name)))]));
}
