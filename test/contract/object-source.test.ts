/** Datasets in a bucket: which object a URL names, and which URLs name none. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { datasetSchema } from '../../config/dataset-schema.js';
import type { Json } from '../../config/json.js';
import { importDataset, openDataset, openDatasetSource } from '../../distillation/index.js';
import { openObjectStore, readArtifact, readBlob } from '../../storage/index.js';
import { putObject } from '../support/datasets.js';
import { S3Server } from '../support/s3-server.js';
import { claim, stageKeyOf } from '../support/stage.js';

let server: S3Server;
beforeAll(async () => {
  server = await S3Server.start();
});
afterAll(() => server.stop());

async function contentOf(uri: string): Promise<string> {
  const source = await openDatasetSource(uri);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.read(await source.identify(), 0)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  } finally {
    await source.close();
  }
}

describe('a dataset in a bucket', () => {
  it.each(['rows.jsonl', 'a/rows.jsonl', `${'folder/'.repeat(60)}rows.jsonl`])('is the object %s', async (key) => {
    await putObject(server.url(), key, key);
    expect(await contentOf(server.url(key))).toBe(key);
  });

  it('that is not there is missing', async () => {
    await expect(contentOf(server.url('none'))).rejects.toMatchObject({ code: 'dataset-missing' });
  });

  it('in a bucket that is not there is told by the bucket', async () => {
    const uri = server.url('rows.jsonl').replace(server.bucket, 'no-such-bucket');
    await expect(contentOf(uri)).rejects.toMatchObject({ code: 'store-missing' });
  });

  it.each(['b//rows.jsonl', 'b/rows.jsonl/', 'b/rows%20of%20mine.jsonl', ''])(
    'with the path "%s" is no object, and no other one is read instead',
    async (path) => {
      await putObject(server.url(), 'b/rows.jsonl', 'another');
      await expect(contentOf(server.url(path))).rejects.toMatchObject({
        code: 'plan-invalid',
        message: expect.stringMatching(/^dataset: s3:.*: Expected .*, found "/),
      });
    },
  );

  it('whose URL holds credentials is refused', async () => {
    const uri = server.url('b/rows.jsonl').replace('s3://', 's3://key:secret@');
    await expect(contentOf(uri)).rejects.toMatchObject({ code: 'store-url-invalid' });
  });
});

describe('a dataset of several objects', () => {
  const row = (text: string): string => `${JSON.stringify({ prompt: text })}\n`;
  const table = join(import.meta.dirname, '..', 'unit', 'distillation', 'conversations.parquet');

  async function putTable(key: string): Promise<void> {
    const store = await openObjectStore(server.url());
    await store.put(key, await readFile(table));
    await store.close();
  }

  /** Under a name that is no key of a store. */
  async function putForeign(name: string): Promise<void> {
    const client = new S3Client({ region: 'us-east-1', endpoint: server.endpoint, forcePathStyle: true });
    await client.send(new PutObjectCommand({ Bucket: server.bucket, Key: name, Body: row(name) }));
    client.destroy();
  }

  async function namesOf(option: Json): Promise<readonly string[]> {
    const dataset = await openDataset(datasetSchema.parse(option));
    try {
      const identity = await dataset.identify();
      return 'files' in identity
        ? identity.files.map(({ name, etag }) => (etag === undefined ? 'no version' : name))
        : [];
    } finally {
      await dataset.close();
    }
  }

  /** Stopped at its n-th report, then done by another attempt. */
  async function imported(option: Json, stage: string, stopAt: number): Promise<string[]> {
    const store = await openObjectStore(server.url('stores/import'), { forWriting: true });
    const dataset = await openDataset(datasetSchema.parse(option));
    const files = dataset.open(await dataset.identify());
    const attempt = async (last: number) => {
      const abort = new AbortController();
      let reports = 0;
      return importDataset({
        store,
        writer: await claim(store, stageKeyOf(stage)),
        files,
        shardBytes: 1000,
        onProgress: () => ((reports += 1) === last ? abort.abort(new Error('asked to stop')) : undefined),
        stop: abort.signal,
      });
    };
    try {
      await expect(attempt(stopAt)).rejects.toThrow('asked to stop');
      const { parts } = await readArtifact(store, (await attempt(Infinity)).dataset);
      const text = Buffer.concat(await Promise.all(parts.map((part) => readBlob(store, part)))).toString();
      return text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id);
    } finally {
      await Promise.all([dataset.close(), store.close()]);
    }
  }

  it('is what lies under a prefix, fits a glob, or is of a day of a window', async () => {
    for (const key of ['2026-11-25/b.jsonl', '2026-11-25/a.jsonl', '2026-11-27/_SUCCESS', '2026-11-28/a.jsonl'])
      await putObject(server.url(), `rows/${key}`, row(key));
    const all = ['2026-11-25/a.jsonl', '2026-11-25/b.jsonl', '2026-11-28/a.jsonl'];
    expect(await namesOf(server.url('rows/'))).toEqual(all);
    expect(await namesOf(server.url('rows/*/a.jsonl'))).toEqual([all[0], all[2]]);
    const from = server.url('rows/{{scheduledDate}}/');
    expect(await namesOf({ from, window: '7d', until: '2026-11-27' })).toEqual(all.slice(0, 2));
    await expect(namesOf({ from, window: '1d', until: '2026-11-27' })).rejects.toMatchObject({
      code: 'dataset-missing',
    });
    await expect(namesOf(server.url('none/'))).rejects.toMatchObject({ code: 'dataset-missing' });
  });

  it('is refused, not read in part, where a key with rows is none that can be read', async () => {
    for (const key of ['odd/a.jsonl', 'odd/notes of mine.txt']) await putForeign(key);
    expect(await namesOf(server.url('odd/'))).toEqual(['a.jsonl']);
    await putForeign('odd/2026-11-27T03:00:00Z.jsonl');
    await expect(namesOf(server.url('odd/'))).rejects.toMatchObject({
      code: 'plan-invalid',
      message: expect.stringContaining('"odd/2026-11-27T03:00:00Z.jsonl"'),
    });
  });

  it('is imported from tables and texts alike, by an attempt and by the one that goes on from it', async () => {
    await putTable('tables/a.parquet');
    await putObject(server.url(), 'tables/b.jsonl', row('text'));
    const content = expect.stringMatching(/^[0-9a-f]{32}$/) as unknown;
    const ids = Array.from({ length: 30 }, (_, i) => (i % 5 > 0 ? `a.parquet:${i}` : content));
    expect(await imported(server.url('tables/'), 'tables', 3)).toEqual([...ids, content]);
  });

  it('is read in the versions that were listed: an object that is another one is refused, also in the middle of a table', async () => {
    await putTable('changing/a.parquet');
    const dataset = await openDataset(server.url('changing/a.parquet'));
    const [file] = dataset.open(await dataset.identify());
    await putObject(server.url(), 'changing/a.parquet', 'another');
    const read = async () => {
      for await (const _ of file!.source.read(file!.identity, 4, 20)) throw new Error('expected nothing to be read');
    };
    await expect(read()).rejects.toMatchObject({ code: 'dataset-changed' });
    await dataset.close();
  });
});
