/**
 * Which of the worlds a question belongs to. Three properties of it decide, each by a hash of its own: which clauses meet,
 * which tables are joined for which intent, and which sentence meets which paraphrases. One in five combinations of each is
 * held out; what is held out has only such combinations, what is learned from has none. The rest belongs nowhere.
 *
 * So what is new in a held-out question is never a clause, a join or a phrase, but how they are put together.
 */
import { structureOf, type Query } from './query.js';
import { wordingOf, type Style } from './question.js';
import { fraction } from './random.js';

/** `held-out` is the test; `validation` is as new, and what a teacher's recipe may look at. */
export type World = 'learning' | 'validation' | 'held-out';

const known = new Map<string, World>();

function worldOfCombination(property: string, combination: string): World {
  const key = `${property} ${combination}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const place = fraction(key);
  const world = place < 0.2 ? 'held-out' : place < 0.3 ? 'validation' : 'learning';
  known.set(key, world);
  return world;
}

export function worldOf(query: Query, style: Style): World | undefined {
  const { clauses, joins } = structureOf(query);
  const worlds = new Set<World>();
  // A question without a filter puts nothing together: it is for learning.
  worlds.add(query.filters.length === 0 ? 'learning' : worldOfCombination('clauses', clauses));
  worlds.add(query.filters.length === 0 ? 'learning' : worldOfCombination('wording', wordingOf(query, style)));
  if (joins !== undefined) worlds.add(worldOfCombination('joins', joins));
  const [world, ...others] = worlds;
  return others.length === 0 ? world : undefined;
}

/** Learning is shared out by skeleton: the teacher learns three quarters, the rest are the prompts that it answers. */
export const isForPrompts = (skeleton: string): boolean => fraction(`prompts ${skeleton}`) < 0.25;
