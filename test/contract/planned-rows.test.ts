/** The evaluation sets of a plan, in a bucket that answers slowly, before anything runs. */
import { PlannedRows } from '../../activities/planned-rows.js';
import { resolvePlan } from '../../activities/resolve-plan.js';
import { builtInStages } from '../../plugins/built-in-stages.js';
import { putObject } from '../support/datasets.js';
import { HoldingProxy } from '../support/holding-proxy.js';
import { until } from '../support/processes.js';
import { S3Server } from '../support/s3-server.js';

const kinds = builtInStages.map(({ kind }) => kind);

let server: S3Server;
let proxy: HoldingProxy;
beforeAll(async () => {
  server = await S3Server.start();
  for (const name of ['one', 'two']) await putObject(server.url(), `${name}/rows.jsonl`, '{"prompt":"why?"}\n');
  proxy = await HoldingProxy.start(server.endpoint);
});
afterEach(() => proxy.releaseAll());
afterAll(async () => {
  proxy.stop();
  await server.stop();
});

function plannedUntil(deadline: AbortSignal) {
  const stages = ['one', 'two'].map((id) => ({
    id,
    uses: 'import',
    with: { dataset: server.url(`${id}/`, proxy.endpoint) },
  }));
  const file = { name: 'slow', store: server.url('store'), stages };
  const { plan } = resolvePlan(file, { kinds, queuePrefix: 'night' });
  const planned = new PlannedRows(plan.nodes, kinds, { deadline });
  return (node: string) => planned.rowsOf({ node, output: 'dataset' });
}

it('are counted while there is time', async () => {
  const rowsOf = plannedUntil(new AbortController().signal);
  expect([await rowsOf('one'), await rowsOf('two')]).toEqual([1, 1]);
});

it.each([
  ['a listing', /list-type=2.*prefix=one/],
  ['an object', /one\/rows\.jsonl/],
])('have one deadline together: %s under way is given up at it, and no further set is asked for', async (_, path) => {
  const first = proxy.hold({ method: 'GET', path });
  const second = proxy.hold({ method: 'GET', path: /two/ });
  const deadline = new AbortController();
  const rowsOf = plannedUntil(deadline.signal);
  const counted = rowsOf('one');
  await until('the first set is asked for', () => first.holds);
  deadline.abort();
  expect([await counted, await rowsOf('two')]).toEqual([undefined, undefined]);
  await until('its request is given up', () => !first.holds);
  expect(second.holds).toBe(false);
});
