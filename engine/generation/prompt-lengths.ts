/** Lengths to which prompts are padded: each twice the one before, so that a prompt costs at most twice its length. */
export function promptLengthsUpTo(capacity: number): number[] {
  const lengths: number[] = [];
  for (let length = 64; length < capacity; length *= 2) lengths.push(length);
  return [...lengths, capacity];
}
