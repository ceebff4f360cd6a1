/**
 * Random numbers within a traced function: drawn once, they would be constants of its program, the same in every call. All that
 * TensorFlow.js draws without a seed begins with `Math.random`, which is refused while a function is traced; what it draws from a
 * seed other than 0, which stands for none, is a constant like any.
 */

/** Runs `work`, synchronous from end to end, so that drawing a random number throws what `refuse` makes. */
export function withoutRandomness<Result>(refuse: () => Error, work: () => Result): Result {
  const before = Math.random;
  Math.random = () => {
    throw refuse();
  };
  try {
    return work();
  } finally {
    Math.random = before;
  }
}
