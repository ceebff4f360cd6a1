/** The prompts that the teacher answers for the student: questions without SQL, as a user of the shop would have them. */
import type { Database } from 'sql.js';
import { makeItems, type Item } from './items.js';
import { isForPrompts } from './worlds.js';

export const makePrompts = (database: Database, count: number): readonly Item[] =>
  makeItems(database, { world: 'learning', seed: 3, count, accepts: isForPrompts });
