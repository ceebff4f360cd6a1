/**
 * Whatever asks an attempt at a stage to end, its work is made durable first, and no process is left: in a stage of a user's own,
 * done in the worker, and in a training, done in a child. Neither would save by itself for minutes.
 */
import type { RunHandle } from '../../client/index.js';
import { lookupResult, openObjectStore, type Json } from '../../storage/index.js';
import { conversationLines, copyModel } from '../support/model-fixtures.js';
import { NightFiles } from '../support/night-files.js';
import { Night } from '../support/night.js';
import { compiledPath, until, type RunningProcess } from '../support/processes.js';
import { keysOf } from '../support/stage.js';

const ownStages = ['--stages', compiledPath('test/support/own-stages.js')];
const timeouts = { heartbeatMs: 2000 };
const retry = { initialIntervalMs: 200, maximumIntervalMs: 500 };

let files: NightFiles;
let night: Night;
let model: string;
let dataset: string;
const workers: Partial<Record<'io' | 'gpu', RunningProcess>> = {};

const startWorker = async (role: 'io' | 'gpu'): Promise<void> => {
  workers[role] = await night.addWorker(role, ownStages);
};

beforeAll(async () => {
  files = await NightFiles.create();
  model = await copyModel('qwen3-qknorm', files.directory);
  dataset = await files.newDataset(conversationLines(60));
  night = await Night.begin();
  await Promise.all([startWorker('io'), startWorker('gpu'), night.addWorker('orchestrator', ownStages)]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

interface Subject {
  readonly role: 'io' | 'gpu';
  /** Of the stage that is asked to end: its node, and its phase when it is at work. */
  readonly node: string;
  readonly phase: string;
  /** What its heartbeats tell while it is at work. */
  readonly tells: object;
  readonly stages: () => readonly object[];
}

const subjects: readonly Subject[] = [
  {
    role: 'io',
    node: 'counter',
    phase: 'count',
    tells: {},
    stages: () => [{ id: 'counter', uses: 'counter', with: { until: 100 }, timeouts, retry }],
  },
  {
    role: 'gpu',
    node: 'fine-tune',
    phase: 'train',
    tells: { of: 2500, unit: 'steps', loss: expect.any(Number), tokensPerSecond: expect.any(Number) },
    stages: () => [
      { id: 'import', uses: 'import', with: { dataset } },
      { id: 'student', uses: 'import-model', with: { model } },
      {
        id: 'fine-tune',
        uses: 'fine-tune',
        needs: ['import', 'student'],
        inputs: { model: 'student.model' },
        // Long enough on any machine: it must still train when the request to end arrives.
        with: { rowTokens: 64, rows: 2, epochs: 1000, steps: 2500 },
        timeouts,
        retry,
      },
    ],
  },
];

async function countCheckpoints(url: string): Promise<number> {
  const store = await openObjectStore(url);
  try {
    return (await keysOf(store, 'checkpoints/')).length;
  } finally {
    await store.close();
  }
}

describe.each(subjects)('a stage at work ($node) makes its work durable and leaves no process', (subject) => {
  const { node, phase, role, tells, stages } = subject;
  let runId: string;
  let store: string;
  /** Checkpoints that were there before the stage was asked to end. */
  let before: number;

  /** Starts a run and waits until its stage has done something. */
  async function startAtWork() {
    [runId, store] = [files.newRunId(), files.newStore()];
    const plan = { name: 'told', store, numerics: { threads: 1 }, stages: stages() };
    const handle = await night.start(runId, plan as unknown as Json);
    const atWork = await until(
      'the stage at work',
      async () => {
        const stage = await pending();
        return stage?.phase === phase && stage.done > 0 && stage;
      },
      150_000,
    );
    expect(atWork.facts).toMatchObject(tells);
    before = await countCheckpoints(store);
    return handle;
  }

  const pending = () => night.pending(runId, node);
  const operation = () => ({ namespace: 'default', execution: { workflowId: runId }, id: node, identity: 'test' });

  const expectDurable = async (): Promise<void> => {
    await until('a checkpoint more', async () => (await countCheckpoints(store)) > before, 30_000);
    await until('the end of the child', () => night.children().length === 0, 30_000);
  };

  /** The run completes, with the work of a second process that claimed the stage. */
  const expectContinued = async (handle: RunHandle): Promise<void> => {
    const result = (await handle.result()).nodes[node];
    expect(result).toMatchObject({ reused: false });
    const opened = await openObjectStore(store);
    expect(await lookupResult(opened, result?.stageKey ?? '')).toMatchObject({ fence: 2 });
    await opened.close();
  };

  it('when its run is cancelled', async () => {
    const handle = await startAtWork();
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ code: 'run-cancelled' });
    await expectDurable();
  });

  it('when it is paused; it waits then, and goes on when it is let', async () => {
    const handle = await startAtWork();
    await night.client.workflowService.pauseActivity({ ...operation(), reason: 'a test' });
    await expectDurable();
    expect(await pending()).toMatchObject({ started: false });
    await night.client.workflowService.unpauseActivity(operation());
    await expectContinued(handle);
  });

  it('when it is reset; it goes on from there', async () => {
    const handle = await startAtWork();
    await night.client.workflowService.resetActivity(operation());
    await until('a checkpoint more', async () => (await countCheckpoints(store)) > before, 30_000);
    await expectContinued(handle);
  });

  it('when its worker is asked to end; another goes on from there', async () => {
    const handle = await startAtWork();
    workers[role]?.signal('SIGTERM');
    await workers[role]?.exited;
    await expectDurable();
    await startWorker(role);
    await expectContinued(handle);
  });
});
