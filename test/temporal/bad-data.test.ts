/** Bad datasets and models through real workers: the run ends with a code and a remedy, after one attempt, and nothing is recorded. */
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../storage/index.js';
import { jsonLines } from '../support/datasets.js';
import { copyModel } from '../support/model-fixtures.js';
import { NightFiles } from '../support/night-files.js';
import { countObjects, importPlan, Night } from '../support/night.js';

let files: NightFiles;
let night: Night;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await Night.begin();
  await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

const rows = jsonLines(2000);
const cut = rows.slice(0, -20);

const datasets: [string, string, string | Uint8Array][] = [
  ['is empty', 'dataset-empty', ''],
  ['holds blank lines only', 'dataset-empty', '\n\r\n  \n'],
  ['has one column of text', 'dataset-row-invalid', '{"text":"once"}\n{"text":"twice"}\n'],
  ['is not UTF-8', 'dataset-row-invalid', Buffer.from('{"prompt":"caf\xe9"}\n', 'latin1')],
  ['is UTF-16', 'dataset-row-invalid', Buffer.from('\uFEFF{"prompt":"a"}\n', 'utf16le')],
  ['has a row of 20 MB', 'dataset-row-invalid', `{"prompt":"${'x'.repeat(20_000_000)}"}\n`],
  ['has two rows of one id', 'dataset-row-invalid', '{"id":"a","prompt":"q"}\n{"id":"a","prompt":"r"}\n'],
  ['ends within a row', 'dataset-row-invalid', cut],
  ['is CSV', 'dataset-row-invalid', 'prompt,response\nWhat?,That.\n'],
  ['is a JSON list instead of lines', 'dataset-row-invalid', '[\n  {"prompt":"a"},\n  {"prompt":"b"}\n]\n'],
  ['is a JSON list on one line', 'dataset-row-invalid', '[{"prompt":"a"},{"prompt":"b"}]'],
  ['is a web page', 'dataset-row-invalid', '<!doctype html>\n<title>Sign in</title>\n'],
];

/** How the run of a plan ended, how often an activity was tried, and whether it left a result. */
async function endOf(plan: (store: string) => Json): Promise<object> {
  const [store, runId] = [files.newStore(), files.newRunId()];
  const handle = await night.start(runId, plan(store));
  const error: unknown = await handle.result().catch((cause: unknown) => cause);
  const { text } = await night.historyOf(runId);
  const attempts = [...text.matchAll(/"attempt": *(\d+)/g)].map(([, attempt]) => Number(attempt));
  const { results } = await countObjects(store);
  return { error, attempts: Math.max(...attempts), results };
}

/** Said once, to the user, with what to do. */
const refused = (code: string) => ({
  error: { code, fault: 'user', retryable: false, remedy: expect.stringMatching(/^[A-Z].*\.$/) as string },
  attempts: 1,
  results: 0,
});

it.each(datasets)('a dataset that %s ends the run: %s', async (_, code, content) => {
  const dataset = await files.newDataset(content);
  expect(await endOf((store) => importPlan({ store, dataset }))).toMatchObject(refused(code));
});

it('a dataset that is a directory, or not there, ends the run', async () => {
  for (const dataset of [files.directory, join(files.directory, 'none.jsonl')])
    expect(await endOf((store) => importPlan({ store, dataset }))).toMatchObject(refused('dataset-missing'));
});

it('a dataset of one row of 10 MB, with a byte order mark and carriage returns, is imported', async () => {
  const dataset = await files.newDataset(`\uFEFF{"prompt":"${'x'.repeat(10_000_000)}"}\r\n\r\n{"prompt":"b"}\r\n`);
  const handle = await night.start(files.newRunId(), importPlan({ store: files.newStore(), dataset }));
  expect((await handle.result()).nodes['import']?.outputs['dataset']?.rows).toBe(2);
});

const modelPlan =
  (model: string) =>
  (store: string): Json => ({
    name: 'nightly',
    store,
    stages: [{ id: 'import', uses: 'import-model', with: { model } }],
  });

const models: [string, string, (directory: string) => Promise<void>][] = [
  ['ends too soon', 'safetensors-invalid', (directory) => truncate(join(directory, 'model.safetensors'), 5000)],
  ['has no tokenizer', 'model-file-missing', (directory) => rm(join(directory, 'tokenizer.json'))],
  [
    'is of an unknown family',
    'model-unsupported',
    (directory) => writeFile(join(directory, 'config.json'), '{"model_type":"mamba"}'),
  ],
];

it.each(models)('a model that %s ends the run: %s', async (name, code, spoil) => {
  const under = join(files.directory, name.replaceAll(' ', '-'));
  await mkdir(under);
  const directory = await copyModel('qwen3-qknorm', under);
  await spoil(directory);
  expect(await endOf(modelPlan(directory))).toMatchObject(refused(code));
});
