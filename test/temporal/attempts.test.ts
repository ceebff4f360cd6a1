/** When a node has failed: whose attempts are counted, against a real server. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NightFiles } from '../support/night-files.js';
import { until } from '../support/processes.js';
import { smallPlan, SmallNight, type SmallStage, type SmallWorker } from '../support/small-night.js';

let files: NightFiles;
let night: SmallNight;

let io: SmallWorker;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await SmallNight.begin();
  [io] = await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

/** How the run of one stage ends, and how often the stage was tried. */
async function endOf(stage: Omit<SmallStage, 'id'>): Promise<{ readonly end: unknown; readonly attempts: number }> {
  const runId = files.newRunId();
  const handle = await night.start(runId, smallPlan(files.newStore(), [{ id: 'one', ...stage }]));
  const end: unknown = await handle.result().catch((error: unknown) => error);
  const { events } = await night.client.workflow.getHandle(runId).fetchHistory();
  const starts = (events ?? []).map(({ activityTaskStartedEventAttributes }) => activityTaskStartedEventAttributes);
  return { end, attempts: Math.max(...starts.map((started) => started?.attempt ?? 0)) };
}

describe('a stage that brings no new durable step', () => {
  it('is given up after five attempts, with the code of the last one', async () => {
    const { end, attempts } = await endOf({ uses: 'failing', with: { code: 'engine-failed' } });
    expect(end).toMatchObject({ code: 'engine-failed', message: expect.stringMatching(/one: expected success/) });
    expect(attempts).toBe(5);
  });

  it('is given five attempts more after a new durable step', async () => {
    const { end, attempts } = await endOf({ uses: 'failing', with: { code: 'child-died', stepAt: 3 } });
    expect(end).toMatchObject({ code: 'child-died' });
    expect(attempts).toBe(8);
  });

  it.each(['dataset-empty', 'training-diverged', 'nondeterministic-stage'])(
    'is not tried again when trying again cannot help: %s',
    async (code) => {
      const { end, attempts } = await endOf({ uses: 'failing', with: { code } });
      expect(end).toMatchObject({ code });
      expect(attempts).toBe(1);
    },
  );

  it('is stuck when no attempt lived long enough to say a code', async () => {
    const { end, attempts } = await endOf({ uses: 'silent', timeouts: { startToCloseMs: 300 } });
    expect(end).toMatchObject({ code: 'stage-stuck', message: expect.stringMatching(/no answer \(5 times\)/) });
    expect(attempts).toBe(6);
  });

  it('is not stuck where each attempt made one durable and was gone before it could say so', async () => {
    const { end, attempts } = await endOf({ uses: 'silent', with: { steps: 7 }, timeouts: { startToCloseMs: 300 } });
    expect(end).toMatchObject({ code: 'stage-stuck', message: expect.stringMatching(/no answer \(5 times\)/) });
    // Five, then five more for the steps of those, and five for the two steps of these.
    expect(attempts).toBe(16);
  });
});

/** PENDING_ACTIVITY_STATE_STARTED: a worker has it. */
const startedState = 2;
/** PENDING_ACTIVITY_STATE_PAUSED: no worker has it any more. */
const pausedState = 4;

const activityOf = async (runId: string) => {
  const { raw } = await night.client.workflow.getHandle(runId).describe();
  return raw.pendingActivities?.find(({ activityId }) => activityId === 'one');
};

/** When its attempt at work began, once that is another one than `before`. */
const startedAfter = (runId: string, before: string): Promise<string> =>
  until(
    'another attempt at work',
    async () => {
      const { state, lastStartedTime } = (await activityOf(runId)) ?? {};
      const startedAt = `${String(lastStartedTime?.seconds)}.${lastStartedTime?.nanos}`;
      return state === startedState && startedAt !== before && startedAt;
    },
    30_000,
  );

const attemptAtWork = (runIds: readonly string[], least: number): Promise<number> =>
  until(`attempt ${least} or later at work`, async () => {
    for (const runId of runIds) {
      const { attempt, state } = (await activityOf(runId)) ?? {};
      if (state === startedState && attempt && attempt >= least) return attempt;
    }
    return undefined;
  });

describe('attempts that end for no fault of the stage', () => {
  it('are not counted when they waited for another run that does the same', async () => {
    const [store, ids] = [files.newStore(), [files.newRunId(), files.newRunId()]];
    const gate = join(files.directory, 'gate');
    const plan = smallPlan(store, [{ id: 'one', with: { text: 'once', waitFor: gate } }]);
    const handles = await Promise.all(ids.map((id) => night.start(id, plan)));
    await attemptAtWork(ids, 7);
    await writeFile(gate, '');
    const [first, second] = await Promise.all(handles.map((handle) => handle.result()));
    expect(second?.nodes['one']?.outputs).toEqual(first?.nodes['one']?.outputs);
  });

  it('are not counted when their worker was shut down', async () => {
    const runId = files.newRunId();
    const handle = await night.start(runId, smallPlan(files.newStore(), [{ id: 'one', uses: 'endless' }]));
    for (let restarts = 0; restarts < 6; restarts += 1) {
      await attemptAtWork([runId], restarts + 1);
      await io.stop();
      io = await night.addWorker('io');
    }
    expect(await attemptAtWork([runId], 7)).toBe(7);
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ code: 'run-cancelled' });
  });

  it.each(['paused', 'reset'] as const)('are not counted when they were %s', async (operation) => {
    const runId = files.newRunId();
    const handle = await night.start(runId, smallPlan(files.newStore(), [{ id: 'one', uses: 'endless' }]));
    const request = { namespace: 'default', execution: { workflowId: runId }, id: 'one', identity: 'test' };
    const { workflowService } = night.client;
    let startedAt = await startedAfter(runId, '');
    for (let times = 0; times < 6; times += 1) {
      if (operation === 'reset') await workflowService.resetActivity(request);
      else {
        await workflowService.pauseActivity({ ...request, reason: 'a test' });
        await until('a pause', async () => (await activityOf(runId))?.state === pausedState, 30_000);
        await workflowService.unpauseActivity(request);
      }
      startedAt = await startedAfter(runId, startedAt);
    }
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ code: 'run-cancelled' });
  });
});
