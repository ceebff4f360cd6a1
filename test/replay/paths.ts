/**
 * Every path that a run can take through workflow code, and how it is made to take it. Each has a recorded history that later
 * releases must replay.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Json } from '../../storage/index.js';
import { until } from '../support/processes.js';
import { smallPlan } from '../support/small-night.js';
import { nightPaths } from './night-paths.js';
import { recordingDirectory, settled, type Path, type Recording } from './path.js';

/** a, then b and c side by side, then d. */
const diamond = (store: string, stageC: object = {}, top: Readonly<Record<string, Json>> = {}): Json =>
  smallPlan(
    store,
    [
      { id: 'a' },
      { id: 'b', needs: ['a'], inputs: { first: 'a.note' }, with: { text: 'b', waitMs: 300 } },
      { id: 'c', needs: ['a'], inputs: { first: 'a.note' }, ...stageC },
      { id: 'd', needs: ['b', 'c'], inputs: { first: 'b.note', second: 'c.note' } },
      { id: 'e', needs: ['b'], inputs: { first: 'b.note' } },
    ],
    top,
  );

const broken = { uses: 'failing', with: { code: 'dataset-empty' } };

/** What a schedule stores, without its plan. */
const nightOf = (schedule: string) => ({ schedule: `of-${schedule}`, planDigest: 'sha256:0', timeZone: 'UTC' });

/** Starts a night and waits until the run that is its child has a stage at work. @returns the id of that run */
async function nightAtWork(recording: Recording): Promise<string> {
  const { night, store, runId } = recording;
  const args = [{ ...nightOf(runId), file: smallPlan(store, [{ id: 'a', uses: 'endless' }]) }];
  await night.client.workflow.start('nightly', { workflowId: runId, taskQueue: 'nightstill-orchestrator', args });
  const child = await until('the run of the night', async () => {
    const { raw } = await night.client.workflow.getHandle(runId).describe();
    return raw.pendingChildren?.[0]?.workflowId ?? undefined;
  });
  await working({ night, runId: child }, 'a');
  return child;
}

/** The run has a stage at work. */
const working = ({ night, runId }: Pick<Recording, 'night' | 'runId'>, node: string): Promise<unknown> =>
  until(`${node} at work`, async () => {
    const { raw } = await night.client.workflow.getHandle(runId).describe();
    return (raw.pendingActivities ?? []).some(
      ({ activityId, lastHeartbeatTime }) => activityId === node && lastHeartbeatTime,
    );
  });

/** In this order: the last one changes the namespace. */
export const paths: Readonly<Record<string, Path>> = {
  happy: {
    shows: 'nodes one after another and side by side, each looked up and run',
    ends: 'COMPLETED',
    take: async ({ night, store, runId }) => void (await (await night.start(runId, diamond(store))).result()),
  },
  import: {
    shows: 'a stage that a child process does',
    ends: 'COMPLETED',
    take: async ({ night, store, runId }) => {
      const dataset = `${recordingDirectory}/rows.jsonl`;
      mkdirSync(recordingDirectory, { recursive: true });
      writeFileSync(dataset, '{"prompt":"What is 1 + 1?","response":"2"}\n');
      const stages = [{ id: 'import', uses: 'import', with: { dataset } }];
      await (await night.start(runId, smallPlan(store, stages))).result();
    },
  },
  'cache-hit': {
    shows: 'every node reused',
    ends: 'COMPLETED',
    take: async ({ night, store, runId }) => {
      await (await night.start(`${runId}-before`, diamond(store))).result();
      await (await night.start(runId, diamond(store))).result();
    },
  },
  'failure-fail-fast': {
    shows: 'a node fails, what runs beside it is cancelled, the rest is skipped',
    ends: 'FAILED',
    holds: 'ACTIVITY_TASK_CANCELED',
    take: async ({ night, store, runId }) => {
      const slow = diamond(store, broken) as { stages: { id: string; with: object }[] };
      for (const stage of slow.stages) if (stage.id === 'b') stage.with = { text: 'b', waitMs: 60_000 };
      await settled(await night.start(runId, slow as unknown as Json));
    },
  },
  'failure-finish-others': {
    shows: 'a node fails, what depends on it is skipped, all others are finished',
    ends: 'FAILED',
    take: async ({ night, store, runId }) =>
      void (await settled(await night.start(runId, diamond(store, broken, { onFailure: 'finish-others' })))),
  },
  'retried-failure': {
    shows: 'a node fails after all attempts that it is given',
    ends: 'FAILED',
    take: async ({ night, store, runId }) => {
      const stages = [{ id: 'a', uses: 'failing', with: { code: 'child-died' } }];
      await settled(await night.start(runId, smallPlan(store, stages)));
    },
  },
  skip: {
    shows: 'the first node fails, and nothing else ever starts',
    ends: 'FAILED',
    take: async ({ night, store, runId }) => {
      const stages = [
        { id: 'a', ...broken },
        { id: 'b', needs: ['a'], inputs: { first: 'a.note' } },
        { id: 'c', needs: ['b'], inputs: { first: 'b.note' } },
      ];
      await settled(await night.start(runId, smallPlan(store, stages)));
    },
  },
  cancel: {
    shows: 'the run is cancelled while a stage works: it makes its work durable first',
    ends: 'CANCELED',
    holds: 'ACTIVITY_TASK_CANCELED',
    take: async (recording) => {
      const { night, store, runId } = recording;
      const stages = [
        { id: 'a', uses: 'endless' },
        { id: 'b', needs: ['a'], inputs: { first: 'a.note' } },
      ];
      const handle = await night.start(runId, smallPlan(store, stages));
      await working(recording, 'a');
      await handle.cancel();
      await settled(handle);
    },
  },
  'cancel-unheard': {
    shows: 'the run is cancelled while a stage works, which fails before it hears of it',
    ends: 'CANCELED',
    holds: 'ACTIVITY_TASK_FAILED',
    take: async (recording) => {
      const { night, store, runId } = recording;
      const waitFor = `${recordingDirectory}/fail-now`;
      const stages = [{ id: 'a', uses: 'failing', with: { code: 'dataset-empty', waitFor } }];
      const handle = await night.start(runId, smallPlan(store, stages));
      await working(recording, 'a');
      await handle.cancel();
      writeFileSync(waitFor, '');
      await settled(handle);
    },
  },
  reset: {
    shows: 'the workflow is reset while a stage works, and goes on from there',
    ends: 'COMPLETED',
    holds: 'WORKFLOW_TASK_FAILED',
    take: async (recording) => {
      const { night, store, runId } = recording;
      const stages = [
        { id: 'a' },
        { id: 'b', needs: ['a'], inputs: { first: 'a.note' }, with: { text: 'b', waitMs: 3000 } },
      ];
      await night.start(runId, smallPlan(store, stages));
      await working(recording, 'b');
      await night.reset(runId);
      await night.client.workflow.getHandle(runId).result();
    },
  },
  'malformed-plan': {
    shows: 'what the run was started with is no plan',
    ends: 'FAILED',
    take: async ({ night, runId }) => {
      const start = { workflowId: runId, taskQueue: 'nightstill-orchestrator', args: [{ file: 'distill.yaml' }] };
      await night.client.workflow.execute('distill', start).catch(() => undefined);
    },
  },
  'malformed-night': {
    shows: 'a night was started with a time zone that there is not',
    ends: 'FAILED',
    take: async ({ night, store, runId }) => {
      const file = smallPlan(store, [{ id: 'a', with: { text: 'rows of {{scheduledDate}}' } }]);
      const args = [{ ...nightOf(runId), timeZone: 'Mars/Phobos', file }];
      const start = { workflowId: runId, taskQueue: 'nightstill-orchestrator', args };
      await night.client.workflow.execute('nightly', start).catch(() => undefined);
    },
  },
  unserved: {
    shows: 'no worker serves the queue of a stage, until one comes',
    ends: 'COMPLETED',
    holds: 'WORKFLOW_EXECUTION_SIGNALED',
    take: async ({ night, store, runId }) => {
      const handle = await night.start(runId, smallPlan(store, [{ id: 'a', with: { text: 'a', queue: 'gpu' } }]));
      await until('a run that misses a worker', async () => (await handle.state()).unserved.includes('nightstill-gpu'));
      const worker = await night.addWorker('gpu');
      await handle.result();
      await worker.stop();
    },
  },
  nightly: {
    shows: 'a night of a schedule: its run as a child, awaited',
    ends: 'COMPLETED',
    holds: 'CHILD_WORKFLOW_EXECUTION_COMPLETED',
    take: async ({ night, store, runId }) => {
      const args = [{ ...nightOf(runId), file: smallPlan(store, [{ id: 'a' }]) }];
      const start = { workflowId: runId, taskQueue: 'nightstill-orchestrator', args };
      await night.client.workflow.execute('nightly', start);
    },
  },
  'nightly-failure': {
    shows: 'a night whose run fails',
    ends: 'FAILED',
    holds: 'CHILD_WORKFLOW_EXECUTION_FAILED',
    take: async ({ night, store, runId }) => {
      const args = [{ ...nightOf(runId), file: smallPlan(store, [{ id: 'a', ...broken }]) }];
      const start = { workflowId: runId, taskQueue: 'nightstill-orchestrator', args };
      await night.client.workflow.execute('nightly', start).catch(() => undefined);
    },
  },
  'nightly-dated': {
    shows: 'a night whose plan names its day',
    ends: 'COMPLETED',
    holds: 'CHILD_WORKFLOW_EXECUTION_COMPLETED',
    take: async ({ night, store, runId }) => {
      const file = smallPlan(store, [{ id: 'a', with: { text: 'rows of {{scheduledDate}}' } }]);
      const start = { workflowId: runId, taskQueue: 'nightstill-orchestrator', args: [{ ...nightOf(runId), file }] };
      await night.client.workflow.execute('nightly', start);
    },
  },
  'nightly-run-cancelled': {
    shows: 'somebody cancels the run of a night, which ends without a fault',
    ends: 'COMPLETED',
    holds: 'CHILD_WORKFLOW_EXECUTION_CANCELED',
    take: async (recording) => {
      const { night, runId } = recording;
      await night.client.workflow.getHandle(await nightAtWork(recording)).cancel();
      await night.client.workflow.getHandle(runId).result();
    },
  },
  'nightly-cancel': {
    shows: 'somebody cancels the night, and its run with it',
    ends: 'CANCELED',
    holds: 'CHILD_WORKFLOW_EXECUTION_CANCELED',
    take: async (recording) => {
      const handle = recording.night.client.workflow.getHandle(recording.runId);
      await nightAtWork(recording);
      await handle.cancel();
      await handle.result().catch(() => undefined);
    },
  },
  ...nightPaths,
  'search-attributes': {
    shows: 'plan and status are kept as search attributes of a namespace that has them',
    ends: 'COMPLETED',
    holds: 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
    take: async ({ night, store, runId }) => {
      await night.addSearchAttributes();
      await (await night.start(runId, smallPlan(store, [{ id: 'a' }]))).result();
    },
  },
};
