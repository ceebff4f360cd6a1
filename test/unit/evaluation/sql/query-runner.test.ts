import { createQueryRunner, type QueryRunner } from '../../../../evaluation/sql/query-runner.js';
import { smallDatabase } from './support.js';

const limits = { timeMs: 60_000, memoryBytes: 2 ** 24, rows: 1000, resultBytes: 100_000 };
/** Time is the last limit to be met, but for queries that meet no other. */
let runner: QueryRunner;
let impatient: QueryRunner;
beforeAll(async () => {
  runner = createQueryRunner({ database: await smallDatabase(), limits });
  impatient = createQueryRunner({ database: await smallDatabase(), limits: { ...limits, timeMs: 1500 } });
});
afterAll(() => Promise.all([runner.close(), impatient.close()]));

/** Nothing has changed, whatever was asked before. */
async function expectUnharmed(asked = runner): Promise<void> {
  const outcome = await asked.run('SELECT count(*), sum(price), (SELECT count(*) FROM sqlite_schema) FROM item');
  expect(outcome).toEqual({ kind: 'rows', columns: 3, rows: [[4, 42.5, 2]] });
}

const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)';

test.each(
  [
    ["INSERT INTO item VALUES (5, 'x', 1, 'x')", 'not-a-query'],
    ['DROP TABLE item', 'not-a-query'],
    ['PRAGMA writable_schema = 1', 'not-a-query'],
    ["ATTACH '/etc/passwd' AS other", 'not-a-query'],
    ["/* SELECT */ VACUUM INTO 'copy.db'", 'not-a-query'],
    ['EXPLAIN SELECT 1', 'not-a-query'],
    ['SELECT 1; DELETE FROM item', 'several-statements'],
    ['WITH a AS (SELECT 1) DELETE FROM item', 'sql-error'],
    ["WITH a AS (SELECT 9) INSERT INTO item SELECT 9, 'x', 1, 'x' FROM a", 'sql-error'],
    ["SELECT load_extension('/tmp/x.so')", 'sql-error'],
    ["SELECT readfile('/etc/passwd')", 'sql-error'],
    ['SELECT random()', 'sql-error'],
    ['SELECT hex(randomblob(4))', 'sql-error'],
    [`SELECT ${'('.repeat(5000)}1${')'.repeat(5000)}`, 'sql-error'],
    [`SELECT ${'1 + '.repeat(10_000)}1`, 'too-long'],
    [`${endless} SELECT i FROM n`, 'row-limit'],
    ["SELECT replace(hex(zeroblob(100000)), '0', 'long')", 'size-limit'],
    ['SELECT hex(zeroblob(400000000))', 'memory-limit'],
    ["SELECT printf('%.*c', 900000000, 'x')", 'memory-limit'],
    ["SELECT length(printf('%.*c', 900000000, 'x'))", 'memory-limit'],
    [`${endless} SELECT group_concat(hex(zeroblob(100000))) FROM n`, 'time-limit'], // SQLite reports it at the end only
    [`${endless} SELECT i FROM n ORDER BY i DESC`, 'memory-limit'],
    [`${endless} SELECT count(*) FROM n`, 'time-limit'],
  ].map(([sql = '', reason = '']) => [sql.slice(0, 60), reason, sql] as const),
)('%s … is refused (%s), and nothing is harmed', async (_, reason, sql) => {
  const asked = reason === 'time-limit' ? impatient : runner;
  expect(await asked.run(sql)).toMatchObject({ kind: 'refused', reason });
  await expectUnharmed(asked);
});

test('SQL can neither lift the limit of memory nor allow itself to write', async () => {
  for (const pragma of ['hard_heap_limit', 'query_only'])
    expect(await runner.run(`SELECT * FROM pragma_${pragma}(0)`)).toMatchObject({ reason: 'sql-error' });
  expect(await runner.run('SELECT * FROM pragma_hard_heap_limit')).toMatchObject({ rows: [[limits.memoryBytes]] });
  expect(await runner.run('SELECT * FROM pragma_query_only')).toMatchObject({ rows: [[1]] });
});

test('a thread is replaced when a query ran out of time or memory, and only then', async () => {
  const own = createQueryRunner({ database: await smallDatabase(), limits: { ...limits, timeMs: 1000 } });
  for (const sql of ['SELECT 1', 'SELECT nothing', 'DROP TABLE item']) await own.run(sql);
  expect(own.threadsStarted).toBe(1);
  await own.run(`${endless} SELECT count(*) FROM n`);
  await own.run('SELECT 1');
  expect(own.threadsStarted).toBe(2);
  await own.run("SELECT printf('%.*c', 900000000, 'x')");
  await own.run('SELECT 1');
  expect(own.threadsStarted).toBe(3);
  await own.close();
});

test('memory stays bounded through thirty attacks on it', async () => {
  await expectUnharmed();
  const before = process.memoryUsage().rss;
  for (let attack = 0; attack < 30; attack += 1)
    expect(await runner.run(`SELECT hex(zeroblob(${4_000_000 + attack}))`)).toMatchObject({ kind: 'refused' });
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20);
});

test('queries that are asked at once are answered one by one, each with its own rows', async () => {
  const outcomes = await Promise.all([1, 2, 3, 4].map((id) => runner.run(`SELECT ${id}`)));
  expect(outcomes.map((outcome) => outcome.kind === 'rows' && outcome.rows)).toEqual([[[1]], [[2]], [[3]], [[4]]]);
});

test('what is not a SQLite database is an outcome, not a crash', async () => {
  const own = createQueryRunner({ database: Buffer.from('no database at all, but long enough to be one') });
  expect(await own.run('SELECT 1')).toMatchObject({ kind: 'refused', reason: 'sql-error' });
  await own.close();
});
