/** One answer, judged by every scorer. Where there is none, every score is 0, and says why: such an item is a wrong one, never left out. */
import { checkScore } from '../scorers/check-score.js';
import type { Score, Scorer } from '../scorers/scorer.js';
import type { ItemResult } from './item-result.js';
import type { Item } from './items.js';

/** What was answered, and how it ended. */
export type Answer = Omit<ItemResult, 'id' | 'scores'>;

/** @throws what a scorer throws */
export async function judge(item: Item, answer: Answer, scorers: readonly Scorer[]): Promise<ItemResult> {
  const question = {
    prompt: item.messages.at(-1)?.content ?? '',
    answer: answer.text,
    reference: item.reference,
    item,
  };
  const unanswered = whyUnanswered(answer);
  const scores: Record<string, Score> = {};
  for (const scorer of scorers)
    scores[scorer.id] =
      unanswered === undefined
        ? checkScore(scorer, item.id, await scorer.score(question))
        : { score: 0, detail: unanswered };
  return { id: item.id, scores, ...answer };
}

function whyUnanswered({ finish, promptTokens }: Answer): string | undefined {
  if (finish === 'prompt-too-long') return `a prompt of ${promptTokens} tokens, longer than the context`;
  if (finish === 'refused') return 'the endpoint refused to answer';
  return finish === 'rejected' ? 'the endpoint did not take the request' : undefined;
}
