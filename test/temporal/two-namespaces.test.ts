/** Two namespaces of one Temporal server with one store: equal work is done once, whichever of them asks for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client, WorkflowNotFoundError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { isActivityOpen } from '../../activities/open-activities.js';
import { start } from '../../client/index.js';
import { until } from '../support/processes.js';
import { historyOf, pendingActivity } from '../support/run-view.js';
import { smallPlan, SmallNight } from '../support/small-night.js';
import { temporaryDirectory } from '../support/temporary.js';

const namespace = 'other';
const directory = temporaryDirectory();
const store = pathToFileURL(join(directory, 'store')).href;

let night: SmallNight;
/** Of the other namespace. */
let other: Client;

beforeAll(async () => {
  night = await SmallNight.begin();
  const { connection } = night.client;
  other = new Client({ connection, namespace });
  const retention = { workflowExecutionRetentionPeriod: msToTs('1 day') };
  await connection.workflowService.registerNamespace({ namespace, ...retention });
  await until('the namespace in the caches of the server', () =>
    other.workflow
      .getHandle('none')
      .describe()
      .then(
        () => false,
        (error: unknown) => error instanceof WorkflowNotFoundError,
      ),
  );
  for (const place of ['default', namespace])
    await Promise.all(
      (['orchestrator', 'io'] as const).map((role) => night.addWorker(role, undefined, undefined, place)),
    );
});
afterAll(() => night.end());

it('a stage that a run of another namespace holds is waited for, and its result taken', async () => {
  const gate = join(directory, 'gate');
  // A machine that stalls must not end the first attempt.
  const timeouts = { heartbeatMs: 30_000 };
  const file = smallPlan(store, [{ id: 'note', with: { text: 'written once', waitFor: gate }, timeouts }]);
  const first = await start({ client: night.client, runId: 'first', file });
  await until('the first at work', async () => (await pendingActivity(night.client, 'first', 'note'))?.phase);
  const second = await start({ client: other, runId: 'second', file });
  const waiting = await until('the second attempt of the second', async () => {
    const pending = await pendingActivity(other, 'second', 'note');
    return pending?.lastFailure !== undefined && pending;
  });
  expect(waiting.lastFailure).toBe('stage-busy');
  writeFileSync(gate, '');
  const [one, two] = await Promise.all([first.result(), second.result()]);
  expect(two.nodes['note']).toEqual({ ...one.nodes['note'], reused: false });
  // Nobody took it from the first.
  expect((await historyOf(night.client, 'first')).attempts['note']).toBe(1);
});

it('of a namespace that cannot be read nobody knows whether an activity is open: its stage is not taken, and what it may spend stays reserved', async () => {
  const runId = '00000000-0000-4000-8000-000000000000';
  const owner = { workflowId: 'w', runId, activityId: 'note', attempt: 1 };
  await expect(isActivityOpen(night.client, { ...owner, namespace: 'gone' })).rejects.toMatchObject({
    code: 'namespace-unreadable',
    message: expect.stringMatching(/^expected to read in namespace gone .*, found: .*gone/) as string,
  });
  expect(await isActivityOpen(night.client, { ...owner, namespace: 'gone' }, { unreadable: 'open' })).toBe(true);
  for (const known of [{ namespace }, {}])
    expect(await isActivityOpen(night.client, { ...owner, ...known })).toBe(false);
});
