/** What an evaluation found, from its results alone: equal results give equal facts, on every machine and in any number of attempts. */
import type { JsonObject } from '../../storage/index.js';
import type { Scorer } from '../scorers/scorer.js';
import { bootstrapMean, meanOf } from '../statistics/bootstrap.js';
import { meanInterval, rightOf } from '../statistics/mean-interval.js';
import type { Incomparable } from './incomparable.js';
import { finishes, refusals, type ItemResult } from './item-result.js';

/**
 * Forward KL from the teacher, per token of the references: the mean over items of each item's mean, with the interval that drawing
 * items anew gives. An item of no token was too long, or has an empty reference.
 */
export function factsOfDivergence(results: readonly ItemResult[], reason: Incomparable | null): JsonObject {
  if (reason !== null) return { notComparable: reason };
  const measured = results.flatMap(({ divergence }) => (divergence && divergence.tokens > 0 ? [divergence] : []));
  const found = { text: 'references', items: measured.length, unmeasured: results.length - measured.length };
  if (measured.length === 0) return found;
  const { mean, interval } = bootstrapMean(measured.map(({ tokens, sum }) => sum / tokens));
  return { ...found, tokens: measured.reduce((sum, { tokens }) => sum + tokens, 0), mean, interval: { ...interval } };
}

export function factsOfResults(results: readonly ItemResult[], scorers: readonly Scorer[]): JsonObject {
  const total = (count: (result: ItemResult) => number): number =>
    results.reduce((sum, result) => sum + count(result), 0);
  const finished = (finish: ItemResult['finish']): number => total((result) => Number(result.finish === finish));
  const refused = refusals.filter((refusal) => finished(refusal) > 0);
  return {
    items: results.length,
    scores: Object.fromEntries(scorers.map((scorer) => [scorer.id, factsOfScorer(results, scorer)])),
    finish: Object.fromEntries([...finishes, ...refused].map((finish) => [finish, finished(finish)])),
    emptyAnswers: total(({ text }) => Number(text.trim() === '')),
    promptTokens: total(({ promptTokens }) => promptTokens),
    generatedTokens: total(({ generatedTokens }) => generatedTokens),
  };
}

/** Wilson's interval for right and wrong; for means the bootstrap's, whose draws are the same for the same scores. */
function factsOfScorer(results: readonly ItemResult[], { id, version, kind }: Scorer): JsonObject {
  const values = results.map(({ scores }) => scores[id]?.score ?? 0);
  return {
    version,
    kind,
    mean: meanOf(values),
    ...(kind === 'right-wrong' && { right: rightOf(values) }),
    interval: { ...meanInterval(kind, values) },
  };
}
