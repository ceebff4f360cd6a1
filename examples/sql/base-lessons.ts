/**
 * What the student knows before it learns anything of its task: to say a question in the other language, and to write an SQL with
 * its conditions in the other order. Never a question with its SQL. All of it is of the learning world, and of the part of it that
 * is not for prompts.
 */
import type { Conversation } from '../../engine/index.js';
import { skeletonOf, sqlOf, type Query } from './query.js';
import { questionOf, type Style } from './question.js';
import { createRandom } from './random.js';
import { drawQueries } from './sample-query.js';
import { isForPrompts, worldOf } from './worlds.js';

type Lesson = readonly [asked: string, answered: string];

/** Undefined where the other language has no such wording in this world. */
function translation(query: Query, style: Style): Lesson | undefined {
  const other: Style = { ...style, language: style.language === 'en' ? 'ja' : 'en' };
  if (worldOf(query, other) !== 'learning') return undefined;
  return [questionOf(query, style), questionOf(query, other)];
}

/** Undefined where the other order is one of the prompts'. */
function rewriting(query: Query): Lesson | undefined {
  const rewritten = sqlOf({ ...query, filters: query.filters.toReversed() });
  return isForPrompts(skeletonOf(rewritten)) ? undefined : [sqlOf(query), rewritten];
}

/** Two translations for each SQL. */
export function makeBaseLessons(seed: number, count: number): readonly Conversation[] {
  const lessons: Conversation[] = [];
  const choice = createRandom(seed + 1);
  for (const { query, style } of drawQueries(createRandom(seed))) {
    if (lessons.length >= count) break;
    if (worldOf(query, style) !== 'learning' || isForPrompts(skeletonOf(sqlOf(query)))) continue;
    const lesson = choice.below(3) < 2 ? translation(query, style) : rewriting(query);
    if (lesson === undefined) continue;
    const [asked, answered] = lesson;
    lessons.push({
      id: String(lessons.length),
      messages: [
        { role: 'user', content: asked },
        { role: 'assistant', content: answered },
      ],
    });
  }
  return lessons;
}
