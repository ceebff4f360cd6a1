/** What was judged is removed at once or looked at again, however long the store takes to answer. */
import { removeUnchanged } from '../../storage/remove-unchanged.js';
import { S3Store } from '../../storage/s3.js';
import { parseStoreUrl } from '../../storage/store-url.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { S3Server } from '../support/s3-server.js';

let server: S3Server;
let proxy: FaultProxy;
let store: S3Store;
beforeAll(async () => {
  server = await S3Server.start();
  proxy = await FaultProxy.start(server.endpoint, 5);
  const location = parseStoreUrl(server.url('removing', proxy.endpoint));
  if (location.kind !== 's3') throw new Error('expected an S3 URL');
  store = new S3Store(location, { idleTimeoutMs: 1500, backoffMs: 5 });
});
afterAll(async () => {
  await store.close();
  await proxy.stop();
  await server.stop();
});

it('a delete that is not answered is not sent again without another look: by then the object may be needed', async () => {
  await store.put('renewed', Buffer.from('content'));
  proxy.plan({ fault: 'hang', method: 'DELETE', times: 1 });
  let looks = 0;
  expect(await removeUnchanged(store, 'renewed', () => ++looks === 1)).toBe(false);
  expect(looks).toBe(2);
  expect(await store.describe('renewed')).toBeDefined();
});

it('a delete that is refused for a moment is sent again while the look is fresh', async () => {
  await store.put('old', Buffer.from('content'));
  proxy.plan({ fault: 'slow-down', method: 'DELETE', times: 2 });
  expect(await removeUnchanged(store, 'old', () => true)).toBe(true);
  expect(await store.describe('old')).toBeUndefined();
});
