/** The held-out questions and their seed. Nothing that trains a teacher or a student imports this file. */
import type { Database } from 'sql.js';
import { makeItems, type Item, type ItemsWanted } from './items.js';

export const heldOutWanted = (count: number): ItemsWanted => ({ world: 'held-out', seed: 7_340_033, count });

export const makeHeldOut = (database: Database, count: number): readonly Item[] =>
  makeItems(database, heldOutWanted(count));
