/** What a run shows of itself while it goes on, how it ends, and how small its history is. */
import { openObjectStore, readRun } from '../../storage/index.js';
import { detailsOf } from '../support/run-details.js';
import { NightFiles } from '../support/night-files.js';
import { until } from '../support/processes.js';
import { smallPlan, SmallNight, type SmallStage } from '../support/small-night.js';

let files: NightFiles;
let night: SmallNight;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await SmallNight.begin();
  await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

async function outcomeOf(store: string, runId: string) {
  const opened = await openObjectStore(store);
  try {
    return (await readRun(opened, runId))?.outcome;
  } finally {
    await opened.close();
  }
}

async function historySizeOf(runId: string) {
  const { historyLength, historySize } = await night.client.workflow.getHandle(runId).describe();
  return { events: historyLength, bytes: historySize ?? 0 };
}

const five: readonly SmallStage[] = [
  { id: 'import' },
  { id: 'teacher' },
  { id: 'evaluation' },
  { id: 'fine-tune', needs: ['import', 'teacher'], inputs: { first: 'import.note', second: 'teacher.note' } },
  { id: 'distill', needs: ['fine-tune', 'teacher'], inputs: { first: 'fine-tune.note', second: 'teacher.note' } },
];

describe('the history of a run of five nodes', () => {
  it('has less than 200 events and some kilobytes, and less when everything is reused', async () => {
    const store = files.newStore();
    const [runId, again] = [files.newRunId(), files.newRunId()];
    await (await night.start(runId, smallPlan(store, five))).result();
    const first = await historySizeOf(runId);
    expect(first.events).toBeLessThan(100);
    expect(first.bytes).toBeLessThan(50_000);
    const { nodes } = await (await night.start(again, smallPlan(store, five))).result();
    expect(Object.values(nodes).map(({ reused }) => reused)).toEqual([true, true, true, true, true]);
    const second = await historySizeOf(again);
    expect(second.events).toBeLessThan(first.events);
    expect(second.bytes).toBeLessThan(first.bytes);
  });
});

describe('a run that is told nonsense of its queues', () => {
  it.each([
    ['nothing', []],
    ['a text', ['nightstill-io']],
    ['no texts', [[null, 7, 'nightstill-io']]],
  ])('shows what it can of %s, and goes on', async (_, args) => {
    const runId = files.newRunId();
    const plan = smallPlan(files.newStore(), [{ id: 'a', with: { text: 'a', waitMs: 1500 } }]);
    const handle = await night.start(runId, plan);
    await until('a stage at work', async () => (await handle.state()).nodes[0]?.status === 'running');
    await night.client.workflow.getHandle(runId).signal('nightstill.unservedQueues', ...args);
    const { unserved } = await handle.state();
    expect(unserved.every((queue) => queue === 'nightstill-io')).toBe(true);
    await handle.result();
  });
});

describe('a run with a node that fails', () => {
  const nodes = (broken: string): SmallStage[] => [
    { id: 'a', uses: 'failing', with: { code: 'dataset-empty', prompt: broken } },
    { id: 'b', with: { text: 'b', waitMs: 1000 } },
    { id: 'after-a', needs: ['a'], inputs: { first: 'a.note' } },
    { id: 'after-b', needs: ['b'], inputs: { first: 'b.note' } },
  ];
  const failure = { code: 'dataset-empty', message: expect.stringMatching(/^a: expected success, found none: why \|/) };

  it.each([
    ['fail-fast', ['failed', 'cancelled', 'skipped', 'skipped']],
    ['finish-others', ['failed', 'done', 'skipped', 'done']],
  ])('under %s ends with a record of all of them and of the failure', async (onFailure, statuses) => {
    const [store, runId] = [files.newStore(), files.newRunId()];
    const handle = await night.start(runId, smallPlan(store, nodes('why | not'), { onFailure }));
    await expect(handle.result()).rejects.toMatchObject({ code: 'dataset-empty' });
    const state = await handle.state();
    expect(state.nodes.map(({ status }) => status)).toEqual(statuses);
    expect(await outcomeOf(store, runId)).toEqual({
      status: 'failed',
      nodes: JSON.parse(JSON.stringify(state.nodes)),
      failure,
    });
    expect(await detailsOf(night.client, runId)).toContain(
      '| a | failing | failed | dataset-empty: a: expected success, found none: why \\| not',
    );
  });
});

describe('a run that is cancelled', () => {
  it('ends once its stages have made their work durable, and its record says so', async () => {
    const [store, runId] = [files.newStore(), files.newRunId()];
    const stages = [
      { id: 'a', uses: 'endless' },
      { id: 'b', needs: ['a'], inputs: { first: 'a.note' } },
    ];
    const handle = await night.start(runId, smallPlan(store, stages));
    await until('a stage at work', async () => (await handle.state()).nodes[0]?.status === 'running');
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ code: 'run-cancelled' });
    expect(await outcomeOf(store, runId)).toMatchObject({
      status: 'cancelled',
      nodes: [
        { id: 'a', status: 'cancelled' },
        { id: 'b', status: 'skipped' },
      ],
    });
    const opened = await openObjectStore(store);
    const keys: string[] = [];
    for await (const { key } of opened.list('checkpoints/')) keys.push(key);
    expect(keys).toHaveLength(1);
    await opened.close();
  });
});

describe('the search attributes of a run', () => {
  it('are its plan and how it stands, where the namespace has them', async () => {
    const [before, after, failed] = [files.newRunId(), files.newRunId(), files.newRunId()];
    const attributesOf = async (runId: string): Promise<unknown> =>
      (await night.client.workflow.getHandle(runId).describe()).searchAttributes;
    await (await night.start(before, smallPlan(files.newStore(), [{ id: 'a' }]))).result();
    expect(await attributesOf(before)).not.toHaveProperty('NightstillPlan');

    await night.addSearchAttributes();
    await (await night.start(after, smallPlan(files.newStore(), [{ id: 'a' }]))).result();
    expect(await attributesOf(after)).toMatchObject({ NightstillPlan: ['small'], NightstillStatus: ['completed'] });
    const broken = smallPlan(files.newStore(), [{ id: 'a', uses: 'failing', with: { code: 'dataset-empty' } }]);
    await (await night.start(failed, broken)).result().catch(() => undefined);
    expect(await attributesOf(failed)).toMatchObject({ NightstillStatus: ['failed'] });
  });
});
