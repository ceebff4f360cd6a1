/**
 * A whole run that evaluates: a set, a model, three scorers, of which one runs SQL on a database and one is the user's own; and a
 * second run that asks nothing.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import initSqlJs from 'sql.js';
import { report } from '../../client/index.js';
import { openObjectStore, readArtifact, readBlob, parseDigest, type Json } from '../../storage/index.js';
import { copyModel } from '../support/model-fixtures.js';
import { NightFiles } from '../support/night-files.js';
import { Night } from '../support/night.js';
import { compiledPath } from '../support/processes.js';

let files: NightFiles;
let night: Night;
let model: string;
let dataset: string;
let database: string;

const rows = Array.from({ length: 6 }, (_, row) => ({
  id: `row-${row}`,
  messages: [
    { role: 'user', content: `How many of shelf ${row}?` },
    { role: 'assistant', content: `SELECT count(*) FROM item WHERE shelf = ${row}` },
  ],
}));

beforeAll(async () => {
  files = await NightFiles.create();
  model = await copyModel('qwen3-qknorm', files.directory);
  dataset = await files.newDataset(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  database = join(files.directory, 'shop.db');
  await writeFile(database, await shop());
  night = await Night.begin();
  const own = ['--scorers', compiledPath('examples/own-scorer/numbers-named.js')];
  await Promise.all([night.addWorker('io'), night.addWorker('gpu', own), night.addWorker('orchestrator', own)]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

async function shop(): Promise<Uint8Array> {
  const { Database } = await initSqlJs();
  const made = new Database();
  made.run('CREATE TABLE item (shelf INTEGER); INSERT INTO item VALUES (1), (1), (2)');
  const bytes = made.export();
  made.close();
  return bytes;
}

const plan = (store: string, options: Json): Json => ({
  name: 'measure',
  store,
  numerics: { runner: 'wasm', threads: 1 },
  stages: [
    { id: 'held-out', uses: 'import', with: { dataset } },
    { id: 'model', uses: 'import-model', with: { model } },
    { id: 'evaluate', uses: 'evaluate', needs: ['held-out', 'model'], with: options },
  ],
});

/** The scorer of examples/own-scorer, over again: each reference has one number, that of its shelf. */
const expectedNumbers = ({ id, text }: { readonly id: string; readonly text: string }) => {
  const shelf = id.replace('row-', '');
  const isNamed =
    text
      .normalize('NFKC')
      .match(/\d+(\.\d+)?/g)
      ?.some((number) => number === shelf) === true;
  return isNamed ? { score: 1, detail: 'every number' } : { score: 0, detail: `without ${shelf}` };
};

it('a model is evaluated in a run, and a second run asks it nothing unless something changed', async () => {
  const url = files.newStore();
  const options = {
    scorers: ['exact-match', 'sql-execution', 'numbers-named'],
    database,
    maximumTokens: 12,
    context: 128,
  };
  const run = await night.start(files.newRunId(), plan(url, options));
  const { nodes } = await run.result();
  const scores = nodes['evaluate']?.outputs['scores'];
  expect(scores).toMatchObject({ kind: 'scores', rows: 6 });

  const store = await openObjectStore(url);
  try {
    const digest = parseDigest(scores?.digest ?? '');
    const { parts } = await readArtifact(store, { ...scores!, digest });
    const text = Buffer.concat(await Promise.all(parts.map((part) => readBlob(store, part)))).toString();
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly id: string; readonly text: string; readonly scores: object });
    expect(lines.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    // A model of random weights writes no SQL; its words were run all the same, and did no harm.
    for (const line of lines)
      expect(line.scores).toEqual({
        'exact-match': { score: 0, detail: expect.stringContaining('expected "SELECT count(*)') as string },
        'sql-execution': { score: 0, detail: expect.any(String) as string },
        'numbers-named': expectedNumbers(line),
      });
  } finally {
    await store.close();
  }

  // The report finds the store by the plan, and everything else in the store.
  const reported = await report(run);
  expect(reported).toMatchObject({ runId: run.runId, plan: 'measure', status: 'completed', withoutResult: [] });
  expect(reported.tables.map(({ scorer, items }) => [scorer, items])).toEqual([
    ['exact-match@1', 6],
    ['numbers-named@1', 6],
    ['sql-execution@1', 6],
  ]);
  for (const { systems } of reported.tables.filter(({ kind }) => kind === 'right-wrong'))
    expect(systems).toEqual([
      expect.objectContaining({
        maker: 'model',
        model: nodes['model']?.outputs['model']?.digest,
        right: 0,
        agreement: null,
        weightBytes: expect.any(Number) as number,
        parameters: expect.any(Number) as number,
        latencyP95Ms: expect.any(Number) as number,
        usdPer1000: 'not given',
      }),
    ]);
  expect(reported.artifacts).toContainEqual(expect.objectContaining({ node: 'evaluate', uri: scores?.uri, rows: 6 }));

  const again = await (await night.start(files.newRunId(), plan(url, options))).result();
  for (const [id, node] of Object.entries(nodes)) expect(again.nodes[id]).toEqual({ ...node, reused: true });
  const shorter = await (await night.start(files.newRunId(), plan(url, { ...options, maximumTokens: 6 }))).result();
  expect(Object.values(shorter.nodes).map(({ reused }) => reused)).toEqual([true, true, false]);
});
