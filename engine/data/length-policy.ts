/**
 * What becomes of samples with more tokens than a row of a batch can hold. A sample is split with one token of overlap: the last
 * token of a piece is the first of the next, so that every token is predicted exactly once, though from less that precedes it.
 */
import { NightstillError } from '../../config/errors.js';
import type { EncodedConversation, Sample, Span } from './samples.js';

export type LengthPolicy = 'refuse' | 'truncate' | 'split' | 'drop-counted';

/**
 * The sample itself when it is short enough, else what the policy makes of it: its beginning, its pieces (with ids `id#1` …),
 * or nothing.
 * @param maximumTokens at least 2.
 * @throws sample-too-long where the policy refuses it
 */
export function fitSample(sample: Sample, maximumTokens: number, policy: LengthPolicy): readonly Sample[] {
  const { ids } = sample;
  if (ids.length <= maximumTokens) return [sample];
  switch (policy) {
    case 'truncate':
      return [{ id: sample.id, ...cut(sample, 0, maximumTokens) }];
    case 'drop-counted':
      return [];
    case 'split': {
      const count = Math.ceil((ids.length - 1) / (maximumTokens - 1));
      return Array.from({ length: count }, (_, index) => {
        const start = index * (maximumTokens - 1);
        const id = `${sample.id}#${index + 1}`;
        return { id, pieceOf: sample.id, ...cut(sample, start, Math.min(start + maximumTokens, ids.length)) };
      });
    }
    case 'refuse':
      throw new NightstillError(
        'sample-too-long',
        `sample ${sample.id}: expected at most ${maximumTokens} tokens, found ${ids.length}`,
      );
  }
}

function cut({ ids, trained }: Sample, start: number, end: number): EncodedConversation {
  const moved = trained.map((span): Span => ({
    start: Math.max(span.start, start) - start,
    end: Math.min(span.end, end) - start,
  }));
  return { ids: ids.subarray(start, end), trained: moved.filter((span) => span.end > span.start) };
}
