/** So many tokens fill a call: with fewer, most of its time would go to operations and not to numbers. */
const tokensOfCall = 128;

/**
 * How many prompts of a length are read in one call: always as many, whether there are others or not, since a row of a product has the
 * same bits beside any other rows, not in a product of another size.
 */
export const promptsOfCall = (tokens: number, slots: number): number =>
  Math.max(1, Math.min(slots, Math.floor(tokensOfCall / tokens)));

/** Lengths to which prompts are padded: each twice the one before, so that a prompt costs at most twice its length. */
export function promptLengthsUpTo(capacity: number): number[] {
  const lengths: number[] = [];
  for (let length = 64; length < capacity; length *= 2) lengths.push(length);
  return [...lengths, capacity];
}

/** What the bits of an answer depend on beside slots and capacity: in which shapes prompts are read. */
export function promptShapesUpTo(capacity: number, slots: number) {
  const promptLengths = promptLengthsUpTo(capacity);
  return { promptLengths, prompts: promptLengths.map((length) => promptsOfCall(length, slots)) };
}
