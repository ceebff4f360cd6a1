import { createSqlScorer, type SqlScorerOptions } from '../../../../evaluation/sql/sql-scorer.js';
import type { Scorer } from '../../../../evaluation/scorers/scorer.js';
import { smallDatabase } from './support.js';

const item = { id: 'one', fields: {} };
const opened: Scorer[] = [];
afterAll(async () => {
  for (const scorer of opened) await scorer.close?.();
});
async function open(options: Partial<SqlScorerOptions> = {}): Promise<Scorer> {
  const scorer = createSqlScorer({ database: await smallDatabase(), ...options });
  opened.push(scorer);
  return scorer;
}

const cases: readonly (readonly [reference: string, answer: string, right: boolean])[] = [
  ['SELECT name FROM item', 'SELECT name FROM item', true],
  ['SELECT name FROM item', 'select item.name as n from item;', true],
  ['SELECT name FROM item', 'SELECT name FROM item ORDER BY name DESC', true],
  ['SELECT name FROM item ORDER BY name', 'SELECT name FROM item ORDER BY name DESC', false],
  ['SELECT name FROM item ORDER BY id', 'SELECT name FROM item ORDER BY -id DESC', true],
  ['SELECT name FROM (SELECT name FROM item ORDER BY id)', 'SELECT name FROM item ORDER BY name', true],
  ['SELECT kind FROM item', 'SELECT DISTINCT kind FROM item', false],
  ['SELECT kind FROM item', "SELECT kind FROM item UNION ALL SELECT 'light' WHERE 0", true],
  ['SELECT DISTINCT kind FROM item', 'SELECT kind FROM item GROUP BY kind', true],
  ['SELECT name, price FROM item', 'SELECT price, name FROM item', false],
  ['SELECT name FROM item', 'SELECT name, id FROM item', false],
  ['SELECT price FROM item WHERE id = 4', 'SELECT NULL', true],
  ['SELECT price FROM item WHERE id = 4', 'SELECT 0', false],
  ['SELECT price FROM item WHERE id = 4', "SELECT ''", false],
  ['SELECT price FROM item WHERE id = 4', 'SELECT 1 WHERE 0', false],
  ['SELECT * FROM empty', 'SELECT id FROM item WHERE id > 9', true],
  ['SELECT * FROM empty', 'SELECT id, name FROM item WHERE id > 9', false],
  ['SELECT 20', 'SELECT price FROM item WHERE id = 2', true],
  ['SELECT 20', "SELECT '20'", false],
  ['SELECT 0.3', 'SELECT 0.1 + 0.2', true],
  ['SELECT 0.3', 'SELECT 0.3001', false],
  ['SELECT 10000000000', 'SELECT 10000000001', false],
  ['SELECT 9e999', 'SELECT 1', false],
  ["SELECT x'00ff'", "SELECT x'00FF'", true],
  ["SELECT x'00ff'", "SELECT '00ff'", false],
  ["SELECT 'a' || char(9), 'b'", "SELECT 'a', char(9) || 'b'", false],
  [
    "SELECT 0.3, 'b' UNION ALL SELECT 0.1 + 0.2, 'a'",
    "SELECT 0.3, 'a' UNION ALL SELECT 0.1 + 0.2, 'b'",
    true, // by rounding alone the sorted rows would not meet
  ],
  ['SELECT count(*) FROM item', '```sqlite\nSELECT count(id) FROM item\n```', true],
  ['SELECT count(*) FROM item', 'Here it is:\n```sql\nSELECT count(id) FROM item;\n```\nDone.', true],
  ['SELECT count(*) FROM item', 'WITH a AS (SELECT id FROM item) SELECT count(*) FROM a', true],
  ['SELECT count(*) FROM item', '-- four\nSELECT 4 /* ; */ ;', true],
  ['SELECT count(*) FROM item', 'I do not know', false],
  ['SELECT count(*) FROM item', '', false],
  ['SELECT 1', 'SELECT 1; SELECT 1', false],
  ['SELECT 1', 'SELECT 1; and so on', false],
  ['SELECT 1', 'VALUES (1)', false],
  ["SELECT date('now')", "SELECT '2026-01-01'", true],
];

test('an answer is right when it gives what the reference gives', async () => {
  const scorer = await open();
  const judged = [];
  for (const [reference, answer] of cases)
    judged.push([reference, answer, (await scorer.score({ prompt: '', answer, reference, item })).score === 1]);
  expect(judged).toEqual(cases);
});

test('columns may stand in any order where that is configured', async () => {
  const scorer = await open({ anyColumnOrder: true });
  const score = async (reference: string, answer: string): Promise<number> =>
    (await scorer.score({ prompt: '', answer, reference, item })).score;
  expect(await score('SELECT name, price, id FROM item', 'SELECT id, name, price FROM item')).toBe(1);
  expect(await score('SELECT 1, 2 UNION ALL SELECT 2, 1', 'SELECT 1, 1 UNION ALL SELECT 2, 2')).toBe(0);
  expect(await score('SELECT 1, 2', 'SELECT 2, 3')).toBe(0);
  const wide = (last: number): string => `SELECT ${'1, '.repeat(30)}${last}`;
  expect(await score(wide(2), wide(3))).toBe(0);
});

test('a score comes with a reason, and the same question has the same one', async () => {
  const scorer = await open();
  const question = { prompt: '', reference: 'SELECT name FROM item', item };
  const details = [];
  for (const answer of ['SELECT name FROM item', 'SELECT id FROM item LIMIT 2', 'SELECT nom FROM item'])
    details.push((await scorer.score({ ...question, answer })).detail);
  expect(details).toEqual([
    '4 rows of 1, as wanted',
    '2 rows of 1, not the 4 rows of 1 that are wanted',
    'sql-error: no such column: nom',
  ]);
});

test.each([undefined, 'DROP TABLE item', 'SELECT nothing FROM item'])(
  'a reference that gives no rows is an error of the item, not of the answer: %s',
  async (reference) => {
    const scorer = await open();
    const question = { prompt: '', answer: 'SELECT 1', item, ...(reference === undefined ? {} : { reference }) };
    await expect(scorer.score(question)).rejects.toMatchObject({ code: 'reference-query-failed' });
  },
);
