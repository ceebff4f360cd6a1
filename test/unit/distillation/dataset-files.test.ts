/** Datasets of several files in a real directory: which files are found, in which order, and what becomes of their rows. */
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { identifyStage } from '../../../activities/stage-key.js';
import { datasetSchema } from '../../../config/dataset-schema.js';
import type { Json } from '../../../config/json.js';
import { fillDate } from '../../../config/scheduled-date.js';
import { importDataset, openDataset } from '../../../distillation/index.js';
import { importStage } from '../../../plugins/import-stage.js';
import { openObjectStore, readArtifact, readBlob, type ObjectStore } from '../../../storage/index.js';
import { claim, stageKeyOf } from '../../support/stage.js';

let directory: string;
let store: ObjectStore;
let stages = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightstill files '));
  store = await openObjectStore(pathToFileURL(join(directory, 'store')).href, { forWriting: true });
});

afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

async function put(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    await utimes(path, 1000, 1000);
  }
  return join(directory, folder);
}

const row = (text: string, id?: string): string => `${JSON.stringify({ ...(id && { id }), prompt: text })}\n`;

async function named(option: Json): Promise<readonly string[]> {
  const dataset = await openDataset(datasetSchema.parse(option));
  const identity = await dataset.identify();
  return 'files' in identity ? identity.files.map(({ name }) => name) : ['one file'];
}

async function imported(option: Json, stopAfter = Infinity, stage = `files ${(stages += 1)}`) {
  const dataset = await openDataset(datasetSchema.parse(option));
  const abort = new AbortController();
  let reports = 0;
  const { dataset: artifact, repeated } = await importDataset({
    store,
    writer: await claim(store, stageKeyOf(stage)),
    files: dataset.open(await dataset.identify()),
    shardBytes: 200,
    onProgress: () => ((reports += 1) === stopAfter ? abort.abort(new Error('asked to stop')) : undefined),
    stop: abort.signal,
  });
  const { parts } = await readArtifact(store, artifact);
  const text = Buffer.concat(await Promise.all(parts.map((part) => readBlob(store, part)))).toString();
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; messages: [{ content: string }] });
  return { digest: artifact.digest, repeated, rows: rows.map(({ id, messages }) => [id, messages[0].content]) };
}

const keyOf = async (option: Json): Promise<string> =>
  (await identifyStage(importStage.kind, { with: { dataset: datasetSchema.parse(option) }, inputs: {} })).stageKey;

describe('a dataset of several files', () => {
  it('is what lies under a place that ends in a slash: rows in any depth, without marks of tools, by the bytes of the names', async () => {
    const folder = await put('under', {
      'b.jsonl': row('b'),
      'a/z.ndjson': row('z'),
      'a.jsonl': row('a'),
      'a/notes.txt': 'no rows',
      _SUCCESS: '',
      '.hidden.jsonl': row('hidden'),
      '_temporary/part.jsonl': row('unfinished'),
    });
    expect(await named(`${folder}/`)).toEqual(['a.jsonl', 'a/z.ndjson', 'b.jsonl']);
  });

  it('is what fits a glob, whatever its ending: * within a name, ** through directories', async () => {
    const folder = await put('glob', {
      'a.json': row('a'),
      'ab.json': row('b'),
      'x/a.json': row('c'),
      '.a.json': row('h'),
    });
    expect(await named(`${folder}/a*.json`)).toEqual(['a.json', 'ab.json']);
    expect(await named(`${folder}/**/a.json`)).toEqual(['a.json', 'x/a.json']);
    expect(await named({ from: [`${folder}/x/*`, `${folder}/ab.json`] })).toEqual(['x/a.json', 'ab.json']);
  });

  it('of a window has the days up to its last one, the oldest first; a day without a file is none', async () => {
    const folder = await put('days', {
      '2026-11-24/a.jsonl': row('too old'),
      '2026-11-25/b.jsonl': row('b'),
      '2026-11-25/a.jsonl': row('a'),
      '2026-11-27/a.jsonl': row('c'),
      '2026-11-28/a.jsonl': row('too new'),
    });
    const option = { from: `${folder}/{{scheduledDate}}/`, window: '3d', until: '2026-11-27' };
    expect(await named(option)).toEqual(['2026-11-25/a.jsonl', '2026-11-25/b.jsonl', '2026-11-27/a.jsonl']);
    const dataset = await openDataset(datasetSchema.parse(option));
    expect(dataset.emptyDays(await dataset.identify())).toEqual(['2026-11-26']);
    const files = await put('daily', { 'q-2026-11-01.jsonl': row('a') });
    expect(await named({ from: `${files}/q-{{scheduledDate}}.jsonl`, window: '30d', until: '2026-11-27' })).toEqual([
      'q-2026-11-01.jsonl',
    ]);
  });

  it('is found at night by a window, when the day before is over and its own has no file yet; without one the remedy names it', async () => {
    const files = await put('at night', { 'q-2026-11-26.jsonl': row('a') });
    const from = `${files}/q-{{scheduledDate}}.jsonl`;
    const atNight = (dataset: Json) => fillDate(dataset, '2026-11-27');
    expect(await named(atNight({ from, window: '7d' }))).toEqual(['q-2026-11-26.jsonl']);
    for (const ofOneDay of [from, { from: [from, `${files}/q-2026-11-26.jsonl`] }])
      await expect(named(atNight(ofOneDay))).rejects.toMatchObject({
        code: 'dataset-missing',
        remedy: expect.stringContaining('window: 7d') as string,
      });
  });

  it.each([
    ['nothing under a place', { '2026-11-20/a.jsonl': '' }, '2026-11-21/', undefined],
    ['no file that fits', { 'a.jsonl': '' }, '*.ndjson', undefined],
    ['no day of a window', { '2026-11-20/a.jsonl': '' }, '{{scheduledDate}}/', '2d'],
    ['not a file that is named', { 'a.jsonl': '' }, 'b.jsonl', undefined],
  ])('that names %s is missing', async (what, files, place, window) => {
    const folder = await put(`missing ${what}`, files);
    const from = [`${folder}/${place}`, ...(what.includes('named') ? [`${folder}/a.jsonl`] : [])];
    const option = { from, ...(window && { window, until: '2026-11-27' }) };
    await expect(named(option)).rejects.toMatchObject({ code: 'dataset-missing' });
  });

  it('has at most as many files as a plan can keep', async () => {
    const folder = await put('many', Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [`${i}.jsonl`, ''])));
    await expect(named(`${folder}/`)).rejects.toMatchObject({ code: 'dataset-files-too-many' });
  });

  it('gives a row with an id the name of its file before it, and leaves out, and counts, what an earlier file has as well', async () => {
    const folder = await put('ids', {
      'a.jsonl': row('first', '1') + row('same', '2') + row('no id') + row('no id'),
      'b.jsonl': row('other', '1') + row('same', '2') + row('no id') + row('same', '3'),
    });
    const { rows, repeated } = await imported(`${folder}/`);
    const content = expect.stringMatching(/^[0-9a-f]{32}$/) as unknown;
    expect(rows).toEqual([
      ['a.jsonl:1', 'first'],
      ['a.jsonl:2', 'same'],
      [content, 'no id'],
      [expect.stringMatching(/-2$/), 'no id'],
      ['b.jsonl:1', 'other'],
      ['b.jsonl:3', 'same'],
    ]);
    expect(repeated).toBe(2);
  });

  it('is the same artifact from wherever it was cut off, with the same count of repeated rows', async () => {
    const text = (from: number) => Array.from({ length: 12 }, (_, i) => row(`row ${from + i}`)).join('');
    const folder = await put('cut', { 'a.jsonl': text(0), 'b.jsonl': text(6), 'c.jsonl': text(12) });
    const whole = await imported(`${folder}/`);
    expect([whole.rows.length, whole.repeated]).toEqual([24, 12]);
    for (let report = 1; report <= 12; report += 3) {
      const stage = `cut ${report}`;
      await imported(`${folder}/`, report, stage).catch((error: unknown) => error);
      expect(await imported(`${folder}/`, Infinity, stage)).toEqual(whole);
    }
  });

  it('is read from Parquet as from JSONL, from wherever it was cut off: the same rows in the same shards', async () => {
    // By pyarrow, in row groups of 7; a column that has no value is a key that the row does not have.
    const table = join(import.meta.dirname, 'conversations.parquet');
    const rows = Array.from({ length: 30 }, (_, i) => ({
      ...(i % 5 > 0 && { id: String(i) }),
      prompt: `question ${i} ö`,
      ...(i % 3 > 0 && { response: `answer ${i}` }),
      ...(i % 2 > 0 && { score: i / 2 }),
      tags: [`t${i}`, 'x'],
    }));
    const folder = await put('texts', { 'rows.jsonl': rows.map((each) => `${JSON.stringify(each)}\n`).join('') });
    const whole = await imported(join(folder, 'rows.jsonl'));
    expect(whole.rows).toHaveLength(30);
    expect(await imported(table)).toEqual(whole);
    for (const report of [1, 8, 16]) {
      const stage = `table ${report}`;
      await imported(table, report, stage).catch((error: unknown) => error);
      expect(await imported(table, Infinity, stage)).toEqual(whole);
    }
  });

  it('names the row of a table that is none: a null is no text', async () => {
    const table = join(import.meta.dirname, '..', 'engine', 'data', 'snappy.parquet');
    await expect(imported(table)).rejects.toMatchObject({
      code: 'dataset-row-invalid',
      message: 'row 7: expected messages[1].content: a text, found nothing',
    });
  });

  it('refuses a damaged table by its code', async () => {
    const folder = await put('damaged', { 'a.parquet': 'PAR1 and nothing that follows from it PAR1' });
    await expect(imported(`${folder}/`)).rejects.toMatchObject({ code: 'dataset-file-invalid' });
    await expect(imported(`${folder}/a.parquet`)).rejects.toMatchObject({ code: 'dataset-file-invalid' });
  });

  it('names the file of a bad row', async () => {
    const folder = await put('bad', { 'a.jsonl': row('a'), 'b.jsonl': `${row('b')}{"prompt":1}\n` });
    await expect(imported(`${folder}/`)).rejects.toMatchObject({
      code: 'dataset-row-invalid',
      message: 'b.jsonl, line 2: expected prompt: a text, found a number',
    });
  });

  it('reads the files that were listed, and none that came since; one that changed is refused', async () => {
    const folder = await put('pinned', { 'a.jsonl': row('a'), 'b.jsonl': row('b') });
    const dataset = await openDataset(datasetSchema.parse(`${folder}/`));
    const files = dataset.open(await dataset.identify());
    await put('pinned', { 'c.jsonl': row('c') });
    const request = { store, shardBytes: 200, onProgress: () => undefined, stop: new AbortController().signal };
    const { dataset: artifact } = await importDataset({
      ...request,
      files,
      writer: await claim(store, stageKeyOf('pinned')),
    });
    expect(artifact.rows).toBe(2);
    await put('pinned', { 'b.jsonl': row('another') });
    await expect(
      importDataset({ ...request, files, writer: await claim(store, stageKeyOf('pinned, changed')) }),
    ).rejects.toMatchObject({ code: 'dataset-changed' });
  });

  it('has another key when a file of it comes, changes or goes, and the same one in a later night that finds the same files', async () => {
    const folder = await put('keys', { '2026-11-25/a.jsonl': row('a') });
    const night = (until: string, window = '3d') => keyOf({ from: `${folder}/{{scheduledDate}}/`, window, until });
    const first = await night('2026-11-26');
    expect([await night('2026-11-26'), await night('2026-11-27'), await night('2026-11-27', '5d')]).toEqual([
      first,
      first,
      first,
    ]);
    await put('keys', { '2026-11-27/a.jsonl': row('a') });
    const second = await night('2026-11-27');
    expect(second).not.toBe(first);
    expect(await night('2026-11-26')).toBe(first);
    await put('keys', { '2026-11-25/a.jsonl': row('longer') });
    expect(await night('2026-11-26')).not.toBe(first);
    await rm(join(folder, '2026-11-25'), { recursive: true });
    expect(await night('2026-11-27')).not.toBe(second);
  });

  it('that is one file has the key that one file always had', async () => {
    const folder = await put('one', { 'a.jsonl': row('a') });
    expect(await keyOf({ from: `${folder}/a.jsonl` })).toBe(await keyOf(`${folder}/a.jsonl`));
    expect(await keyOf(`${folder}/`)).not.toBe(await keyOf(`${folder}/a.jsonl`));
  });

  it.each([
    ['a window whose places name no day', { from: '/rows/', window: '7d', until: '2026-11-27' }, /window only where/],
    ['a window that is none', { from: '/rows/{{scheduledDate}}/', window: '7 days' }, /such as 7d/],
    ['a window of years', { from: '/rows/{{scheduledDate}}/', window: '400d' }, /at most 366d/],
    [
      'a last day that is none',
      { from: '/rows/{{scheduledDate}}/', window: '7d', until: '2026-02-30' },
      /a day such as/,
    ],
    ['a last day without a window', { from: '/rows/', until: '2026-11-27' }, /none without a window/],
    ['places in two buckets', { from: ['s3://one/rows/', 's3://two/rows/'] }, /in one bucket/],
  ])('is refused with %s', (_, option, message) => {
    expect(JSON.stringify(datasetSchema.safeParse(option).error?.issues)).toMatch(message);
  });
});
