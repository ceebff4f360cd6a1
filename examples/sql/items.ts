/**
 * Questions with their SQL, drawn until there are enough. A question counts only if its SQL gives something on the shop's
 * database, no row depends on a tie, and no part of it is idle: without any one filter the result would be another.
 */
import type { Database, SqlValue } from 'sql.js';
import type { Language } from './catalogue.js';
import { skeletonOf, sqlOf, type Query } from './query.js';
import { questionOf, type Style } from './question.js';
import { createRandom } from './random.js';
import { drawQueries } from './sample-query.js';
import { worldOf, type World } from './worlds.js';

export interface Item {
  readonly language: Language;
  readonly question: string;
  readonly sql: string;
  readonly skeleton: string;
}

/** A question, and what it was made of. */
export interface DrawnItem {
  readonly item: Item;
  readonly query: Query;
  readonly style: Style;
}

export interface ItemsWanted {
  readonly world: World;
  readonly seed: number;
  readonly count: number;
  readonly accepts?: (skeleton: string) => boolean;
}

/** Most rows that a result may have: what is asked should be read by a person. */
const mostRows = 400;

export const makeItems = (database: Database, wanted: ItemsWanted): readonly Item[] =>
  drawItems(database, wanted).map(({ item }) => item);

export function drawItems(
  database: Database,
  { world, seed, count, accepts = () => true }: ItemsWanted,
): readonly DrawnItem[] {
  const items = new Map<string, DrawnItem>();
  const isSound = createSoundness(database);
  for (const { query, style } of drawQueries(createRandom(seed))) {
    if (items.size >= count) break;
    if (worldOf(query, style) !== world) continue;
    const sql = sqlOf(query);
    const [question, skeleton] = [questionOf(query, style), skeletonOf(sql)];
    if (items.has(question) || !accepts(skeleton) || !isSound(query)) continue;
    items.set(question, { item: { language: style.language, question, sql, skeleton }, query, style });
  }
  return [...items.values()];
}

function createSoundness(database: Database): (query: Query) => boolean {
  const results = new Map<string, readonly SqlValue[][]>();
  const run = (sql: string): readonly SqlValue[][] => {
    const known = results.get(sql) ?? database.exec(sql)[0]?.values ?? [];
    results.set(sql, known);
    return known;
  };
  return (query) => {
    const rows = run(sqlOf(query));
    if (rows.length === 0 || rows.length > mostRows || rows[0]?.some((cell) => cell === null || cell === 0))
      return false;
    if (hasTie(query, run)) return false;
    const others: Query[] = query.filters.map((filter) => ({
      ...query,
      filters: query.filters.filter((one) => one !== filter),
    }));
    if (query.intent.kind === 'having') others.push({ ...query, intent: { ...query.intent, moreThan: 0 } });
    const result = JSON.stringify(rows);
    return others.every((other) => JSON.stringify(run(sqlOf(other))) !== result);
  };
}

/** Would another order of equals change the first rows? */
function hasTie(query: Query, run: (sql: string) => readonly SqlValue[][]): boolean {
  const { intent } = query;
  if (intent.kind !== 'top' && intent.kind !== 'most') return false;
  const shown = intent.kind === 'top' ? intent.of.column : 'count(*)';
  const first = intent.kind === 'top' ? intent.count : 1;
  const ranked = sqlOf(query)
    .replace(/^SELECT \w+/, `SELECT ${shown}`)
    .replace(/LIMIT \d+$/, `LIMIT ${first + 1}`);
  const ranks = run(ranked).map(([rank]) => rank);
  return new Set(ranks).size < ranks.length || ranks.length < first;
}
