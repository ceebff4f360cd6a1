/** Datasets in a bucket: which object a URL names, and which URLs name none. */
import { openDatasetSource } from '../../distillation/index.js';
import { putObject } from '../support/datasets.js';
import { S3Server } from '../support/s3-server.js';

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
