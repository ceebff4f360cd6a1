/** Answers of S3 that no server here gives: without a length, in pages without an end. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isInLayout } from '../../storage/layout.js';
import { S3Store } from '../../storage/s3.js';
import { parseStoreUrl } from '../../storage/store-url.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let answer: Answer;
let requests: string[];
let store: S3Store;
const credentials = { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing' };
const environment = process.env;

beforeAll(async () => {
  process.env = { ...environment, ...credentials };
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
  const endpoint = `http://127.0.0.1:${address.port}`;
  const location = parseStoreUrl(`s3://bucket?region=us-east-1&endpoint=${endpoint}&forcePathStyle=true`);
  if (location.kind !== 's3') throw new Error('expected an S3 URL');
  store = new S3Store(location, { attempts: 1 });
});
beforeEach(() => {
  requests = [];
});
afterAll(async () => {
  await store.close();
  server.close();
  server.closeAllConnections();
  process.env = environment;
});

const objectHeaders = { etag: '"one"', 'last-modified': new Date(0).toUTCString() };

describe('a body', () => {
  it('without a length is refused: nobody could tell where it was cut off', async () => {
    answer = (_, response) => {
      response.writeHead(200, objectHeaders);
      response.end('content');
    };
    for (const range of [{}, { range: { start: 0, end: 7 } }])
      await expect(store.get('key', range)).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it.each([true, false])(
    'that breaks off before anybody reads it ends no process, and its reader learns why (verified by the reader: %s)',
    async (isVerified) => {
      answer = (_, response) => {
        const checksum = isVerified ? {} : { 'x-amz-checksum-crc32': 'AAAAAA==' };
        response.writeHead(200, { ...objectHeaders, ...checksum, 'content-length': 1000 });
        response.write('content', () => response.socket?.resetAndDestroy());
      };
      const { body } = await store.get('key', { isVerified });
      while (!body.destroyed) await sleep(5);
      await sleep(5);
      await expect(body.toArray()).rejects.toMatchObject({ code: 'store-unavailable' });
    },
  );
});

describe('the sweep of unfinished uploads', () => {
  const uploads = (keys: readonly string[], isTruncated: boolean): string => {
    const found = keys.map(
      (key) =>
        `<Upload><Key>${key}</Key><UploadId>u</UploadId><Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload>`,
    );
    const list = `<IsTruncated>${isTruncated}</IsTruncated>${found.join('')}`;
    return `<?xml version="1.0"?><ListMultipartUploadsResult>${list}</ListMultipartUploadsResult>`;
  };
  const serve =
    (list: string): Answer =>
    ({ method, url = '' }, response) => {
      const isGone = url.includes('gone');
      response.writeHead(method === 'GET' ? 200 : isGone ? 404 : 204, { 'content-type': 'application/xml' });
      if (method === 'GET') response.end(list);
      else response.end(isGone ? '<Error><Code>NoSuchUpload</Code></Error>' : undefined);
    };

  it('in pages without an end is given up', async () => {
    answer = serve(uploads([], true));
    await expect(store.sweepUnfinished(0)).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('leaves those of other programs, and passes over those that are gone', async () => {
    answer = serve(uploads(['blobs/sha256/gone', 'blobs/sha256/a', 'photographs/b'], false));
    expect(await store.sweepUnfinished(0, isInLayout)).toBe(1);
    expect(requests.filter((request) => request.includes('photographs'))).toEqual([]);
  });
});
