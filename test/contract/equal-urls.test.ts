/** Two S3 servers of which only the environment says which is meant: their stores have one URL, and are two stores all the same. */
import { openObjectStore } from '../../storage/index.js';
import { coreClaimOf } from '../../workers/core-holders.js';
import { S3Server } from '../support/s3-server.js';
import { claim, stageKeyOf } from '../support/stage.js';

let servers: readonly S3Server[];
beforeAll(async () => {
  servers = [await S3Server.start(), await S3Server.start()];
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL'];
  for (const server of servers) await server.stop();
});

/** The work of a claim as processes of this host are told of it. */
async function claimIn(server: S3Server, attempt = 1) {
  process.env['AWS_ENDPOINT_URL'] = server.endpoint;
  const store = await openObjectStore(`s3://${server.bucket}?region=us-east-1&forcePathStyle=true`, {
    forWriting: true,
  });
  const writer = await claim(store, stageKeyOf('the same stage'), attempt);
  await store.close();
  return { url: store.url, ...coreClaimOf(store, writer) };
}

it('a claim in one of them does not supersede a claim on the same stage in the other, and does supersede those before it', async () => {
  const [one, other] = servers as readonly [S3Server, S3Server];
  const first = await claimIn(one);
  const elsewhere = [await claimIn(other), await claimIn(other, 2)];
  const second = await claimIn(one, 2);
  expect(new Set([first, ...elsewhere, second].map(({ url }) => url)).size).toBe(1);
  expect([second.work, second.fence]).toEqual([first.work, 2]);
  expect(elsewhere.map(({ work }) => work === first.work)).toEqual([false, false]);
});
