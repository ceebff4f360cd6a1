import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database } from 'sql.js';
import { createSqlScorer } from '../../../../evaluation/sql/sql-scorer.js';
import { sameResult } from '../../../../evaluation/sql/compare-results.js';
import { ordersRows } from '../../../../evaluation/sql/statement.js';
import type { QueryRows } from '../../../../evaluation/sql/query-outcome.js';
import { baseRecipe } from '../../../../examples/sql/base-job.js';
import { makeBaseLessons } from '../../../../examples/sql/base-lessons.js';
import { heldOutWanted } from '../../../../examples/sql/held-out.js';
import { drawItems, type DrawnItem, type Item } from '../../../../examples/sql/items.js';
import { promptsWanted } from '../../../../examples/sql/prompts.js';
import { skeletonOf, structureOf } from '../../../../examples/sql/query.js';
import { wordingOf } from '../../../../examples/sql/question.js';
import { createRandom } from '../../../../examples/sql/random.js';
import { makeShop } from '../../../../examples/sql/shop-database.js';
import { makeTrainingSet, trainingWanted, validationWanted } from '../../../../examples/sql/training-set.js';

const folder = join(__dirname, '../../../../examples/sql');
const recipeOf = <Recipe>(model: string): Recipe =>
  JSON.parse(readFileSync(join(folder, `${model}.json`), 'utf8')) as Recipe;
const digestOf = (bytes: Uint8Array | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const teacher = recipeOf<{ readonly questions: number; readonly data: Readonly<Record<string, string>> }>('teacher');

/** Of the teacher all that it has learned from: 60,000 questions. */
let shop: Database;
let drawn: readonly DrawnItem[][];
let [training, prompts, validation, heldOut]: readonly Item[][] = [];
beforeAll(async () => {
  shop = await makeShop();
  const worlds = [trainingWanted(teacher.questions), promptsWanted(1000), validationWanted(300), heldOutWanted(600)];
  drawn = worlds.map((wanted) => [...drawItems(shop, wanted)]);
  [training, prompts, validation, heldOut] = drawn.map((items) => items.map(({ item }) => item));
}, 600_000);
afterAll(() => shop.close());

const rowsOf = (sql: string): QueryRows => {
  const result = shop.exec(sql)[0];
  return { kind: 'rows', columns: result?.columns.length ?? 0, rows: result?.values ?? [] };
};
const share = <Value>(values: readonly Value[], is: (value: Value) => boolean): number =>
  values.filter(is).length / values.length;

test('no two worlds share a question or the skeleton of an SQL', () => {
  const worlds = [training, prompts, validation, heldOut].map((items = []) => items);
  for (const property of ['question', 'skeleton'] as const) {
    const all = worlds.map((items) => new Set(items.map((item) => item[property])));
    const together = new Set(all.flatMap((one) => [...one]));
    expect(together.size).toBe(all.reduce((sum, { size }) => sum + size, 0));
  }
  expect(worlds.map(({ length }) => length)).toEqual([60_000, 1000, 300, 600]);
});

test.each<[string, (drawn: DrawnItem) => string | undefined]>([
  ['meeting of clauses', ({ query }) => structureOf(query).clauses],
  ['set of joined tables for a kind of question', ({ query }) => structureOf(query).joins],
  ['pairing of a sentence with paraphrases', ({ query, style }) => wordingOf(query, style)],
])('no %s that is held out is in anything that the teacher or the student learns from', (_, combinationOf) => {
  const [taught, asked, validated, tested] = drawn.map((items) => new Set(items.map(combinationOf)));
  for (const one of [taught, asked, validated, tested]) one?.delete(undefined); // an SQL without a join
  const shared = [taught, asked, validated].map((one) => [...(tested ?? [])].filter((each) => one?.has(each)));
  expect(shared).toEqual([[], [], []]);
  expect([...(validated ?? [])].filter((each) => taught?.has(each) || asked?.has(each))).toEqual([]);
  // Nothing is shared by chance: there is much to share, and prompts are put together as the training is.
  expect(tested?.size).toBeGreaterThan(15);
  expect([...(asked ?? [])].filter((each) => taught?.has(each)).length).toBeGreaterThan(60);
});

test('the committed teacher learned from these questions, on this shop, with this tokenizer', () => {
  const lines = (items: readonly Item[] = []): string => items.map((item) => `${JSON.stringify(item)}\n`).join('');
  expect(teacher.data).toMatchObject({
    'shop.sqlite': digestOf(shop.export()),
    'training.jsonl': digestOf(lines(training)),
    'validation.json': digestOf(JSON.stringify(validation)),
    'tokenizer.json': digestOf(readFileSync(join(folder, 'teacher', 'tokenizer.json'))),
  });
});

test('what is held out is put together anew, of tables and words that are learned', () => {
  const wordsOf = (items: readonly Item[] = []): Set<string> =>
    new Set(items.flatMap(({ sql }) => sql.match(/[A-Za-z_]+/g) ?? []));
  const learned = wordsOf(training);
  expect([...wordsOf(heldOut)].filter((word) => !learned.has(word))).toEqual([]);
  expect(new Set(heldOut?.map(({ skeleton }) => skeleton)).size).toBeGreaterThan(150);
  expect(share(heldOut ?? [], ({ language }) => language === 'ja')).toBeGreaterThan(0.4);
  expect(share(heldOut ?? [], ({ language }) => language === 'en')).toBeGreaterThan(0.4);
});

test('every held-out SQL gives rows, and the scorer finds it right', async () => {
  const scorer = createSqlScorer({ database: shop.export() });
  for (const [index, { question, sql }] of (heldOut ?? []).entries()) {
    const item = { id: String(index), fields: {} };
    expect(await scorer.score({ prompt: question, answer: sql, reference: sql, item })).toMatchObject({ score: 1 });
  }
  await scorer.close?.();
  expect(share(heldOut ?? [], ({ sql }) => rowsOf(sql).rows.length > 0)).toBe(1);
});

test('the SQL of another question is right by chance in fewer than two of a hundred cases', () => {
  const random = createRandom(11);
  const results = new Map((heldOut ?? []).map(({ sql }) => [sql, rowsOf(sql)]));
  const queries = [...results.keys()];
  let [pairs, right] = [0, 0];
  while (pairs < 20_000) {
    const [one, other] = [random.pick(queries), random.pick(queries)];
    if (one === other) continue;
    pairs += 1;
    const [wanted, found] = [results.get(one), results.get(other)];
    if (wanted && found && sameResult(wanted, found, { ordered: ordersRows(one) })) right += 1;
  }
  expect(right / pairs).toBeLessThan(0.02);
  expect(right).toBeGreaterThan(0); // a share of nothing would mean that nothing is compared
});

test('questions and SQL are short enough for a model of a few million weights', () => {
  const all = [training, prompts, heldOut].flatMap((items = []) => items);
  expect(all.filter(({ question }) => question.length >= 120)).toEqual([]);
  expect(all.filter(({ sql }) => sql.length >= 280)).toEqual([]);
});

test('the database and the questions are the same whenever they are made', async () => {
  const again = await makeShop();
  expect(Buffer.compare(again.export(), shop.export())).toBe(0);
  expect(makeTrainingSet(again, 100)).toEqual(training?.slice(0, 100));
  again.close();
});

/** All files that a file of the example reaches through imports of that folder. */
function reached(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import|fork)\s*\(?\s*'(\.[^']+)'/g)) {
    const target = join(dirname(file), specifier.replace(/\.js$/, '.ts'));
    if (existsSync(target)) reached(target, seen);
  }
  return seen;
}

const recipe = recipeOf<{
  readonly lessons: number;
  readonly seed: number;
  readonly data: { readonly lessons: string };
}>('student');

test("the defaults of the student's recipe are what made the committed weights", () => {
  expect(recipe).toMatchObject(baseRecipe);
});

test('no lesson that the student begins with pairs a question with its SQL, or has one, or a skeleton, of prompts, validation or test', () => {
  const made = makeBaseLessons(recipe.seed, recipe.lessons);
  const digest = createHash('sha256');
  for (const lesson of made) digest.update(`${JSON.stringify(lesson)}\n`);
  expect(`sha256:${digest.digest('hex')}`).toBe(recipe.data.lessons);

  const lessons = made.map((lesson) => ('messages' in lesson ? lesson.messages.map(({ content }) => content) : []));
  const isSql = (text = ''): boolean => text.startsWith('SELECT ');
  expect(lessons).toHaveLength(recipe.lessons);
  expect(lessons.filter(([asked, answered]) => isSql(asked) !== isSql(answered))).toEqual([]);
  expect(share(lessons, ([asked]) => isSql(asked))).toBeGreaterThan(0.2);
  expect(share(lessons, ([asked]) => isSql(asked))).toBeLessThan(0.5);

  const taught = new Set(lessons.flat());
  const skeletons = new Set([...taught].filter(isSql).map(skeletonOf));
  for (const world of [prompts, validation, heldOut]) {
    const known = world?.filter(
      ({ question, sql, skeleton }) => [question, sql].some((text) => taught.has(text)) || skeletons.has(skeleton),
    );
    expect(known).toEqual([]);
  }
});

test('what trains a teacher or a student or makes the prompts never reaches the held-out questions or their seed', () => {
  const heldOutFile = join(folder, 'held-out.ts');
  const recipes = ['training-set.ts', 'prompts.ts', 'teacher-data.ts', 'train-teacher.ts', 'teacher-process.ts'];
  for (const program of [...recipes, 'base-lessons.ts', 'train-base.ts', 'base-process.ts']) {
    expect([...reached(join(folder, program))]).not.toContain(heldOutFile);
    expect(readFileSync(join(folder, program), 'utf8')).not.toMatch(/held-out\.js|test\.jsonl/);
  }
  expect([...reached(join(folder, 'make-data.ts'))]).toContain(heldOutFile);
});
