import { Client, Connection } from '@temporalio/client';
import { start } from '../../../client/index.js';
import { planDigestOf } from '../../../client/plan-digest.js';
import type { Json } from '../../../storage/index.js';
import { freePort } from '../../support/free-port.js';

const plan = (dataset: Json): Json => ({ name: 'n', store: 'file:///s', stages: [{ id: 'a', with: { dataset } }] });

describe('a plan', () => {
  it.each<[string, Json]>([
    ['credentials in a URL, wherever it stands', plan('s3://me:secret@bucket/key')],
    ['credentials in the endpoint of a store', plan('s3://bucket/key?endpoint=http://me:secret@host')],
    ['a user alone in a URL', plan('https://secret@host/')],
    ['what is no JSON', plan(Number.NaN)],
  ])('with %s does not leave the process', async (_, file) => {
    const connection = Connection.lazy({ address: `127.0.0.1:${await freePort()}` });
    const error: unknown = await start({ client: new Client({ connection }), file }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'plan-invalid', message: expect.not.stringContaining('secret') });
    await connection.close();
  });

  it('with URLs of every kind that carry none has a digest, whatever the order of its keys', () => {
    const urls = ['s3://bucket/a@b?region=x', 'file:///me@home/rows', 'mailto:me@host', 'me:secret@host', 'text'];
    expect(planDigestOf(plan(urls))).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(planDigestOf({ a: 1, b: 2 })).toBe(planDigestOf({ b: 2, a: 1 }));
  });
});
