/** The prompts that the teacher answers for the student: questions without SQL, as a user of the shop would have them. */
import type { Database } from 'sql.js';
import { makeItems, type Item, type ItemsWanted } from './items.js';
import { isForPrompts } from './worlds.js';

export const promptsWanted = (count: number): ItemsWanted => ({
  world: 'learning',
  seed: 3,
  count,
  accepts: isForPrompts,
});

export const makePrompts = (database: Database, count: number): readonly Item[] =>
  makeItems(database, promptsWanted(count));
