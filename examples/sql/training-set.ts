/** What the teacher learns from, and what its recipe may measure itself on. It knows nothing of the held-out questions. */
import type { Database } from 'sql.js';
import { makeItems, type Item, type ItemsWanted } from './items.js';
import { isForPrompts } from './worlds.js';

export const trainingWanted = (count: number): ItemsWanted => ({
  world: 'learning',
  seed: 1,
  count,
  accepts: (skeleton) => !isForPrompts(skeleton),
});

export const makeTrainingSet = (database: Database, count: number): readonly Item[] =>
  makeItems(database, trainingWanted(count));

/** As new in structure as the held-out questions, and none of them. */
export const validationWanted = (count: number): ItemsWanted => ({ world: 'validation', seed: 2, count });

export const makeValidationSet = (database: Database, count: number): readonly Item[] =>
  makeItems(database, validationWanted(count));
