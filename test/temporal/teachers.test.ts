/** Whole runs whose teacher is a model on this machine, and runs that watch whether a teacher behind an endpoint has changed. */
import { explain, report } from '../../client/index.js';
import type { Json } from '../../storage/index.js';
import { describedTeacher, outputOf, promptLines, rowsOf } from '../support/answers.js';
import { CountingTeacher } from '../support/counting-teacher.js';
import { copyModel } from '../support/model-fixtures.js';
import { NightFiles } from '../support/night-files.js';
import { Night } from '../support/night.js';

let files: NightFiles;
let night: Night;
let teacher: CountingTeacher;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await Night.begin();
  await Promise.all([night.addWorker('io'), night.addWorker('gpu'), night.addWorker('orchestrator')]);
});

beforeEach(async () => (teacher = await CountingTeacher.start()));
afterEach(() => teacher.stop());

afterAll(async () => {
  await night.end();
  await files.remove();
});

const prompts = (count: number): Promise<string> => files.newDataset(promptLines(count));

it('a teacher on this machine answers, and a student learns its answers and its distributions; a second night computes nothing', async () => {
  const [store, dataset] = [files.newStore(), await prompts(12)];
  const training = { rowTokens: 64, rows: 2, steps: 2 };
  const plan = {
    name: 'at-home',
    store,
    dataset,
    student: await copyModel('qwen3-qknorm', files.directory),
    teacher: await copyModel('qwen2-gqa-tied', files.directory),
    answer: { maximumTokens: 8, keep: ['cut-off'], context: 64 },
    capture: {},
    'fine-tune': training,
    distill: training,
    numerics: { runner: 'wasm', threads: 1 },
  } as unknown as Json;
  const { nodes } = await (await night.start(files.newRunId(), plan)).result();
  const answers = await rowsOf(store, outputOf(nodes['answer'], 'answers'));
  expect(answers).toHaveLength(12);
  for (const each of answers)
    expect(each).toMatchObject({ revision: outputOf(nodes['teacher'], 'model').digest, spentUsd: 0 });
  expect(outputOf(nodes['capture'], 'logits').rows).toBe(12);
  expect(outputOf(nodes['distill'], 'model').kind).toBe('model');
  const again = await (await night.start(files.newRunId(), plan)).result();
  expect(Object.values(again.nodes).every(({ reused }) => reused)).toBe(true);
});

it('canaries are all that an unchanged night asks; when they are answered otherwise, everything is asked anew, and the run says so', async () => {
  const [store, dataset] = [files.newStore(), await prompts(3)];
  const canary = { prompts: ['Who are you?'], onDrift: 'ask-again' };
  const stages = [
    { id: 'import', uses: 'import' },
    { id: 'canary', uses: 'canary' },
    { id: 'answer', uses: 'answer', needs: ['import', 'canary'], inputs: { identity: 'canary.identity' } },
  ];
  const plan = {
    name: 'watched',
    store,
    dataset,
    teacher: { ...describedTeacher, endpoint: teacher.endpoint, canary },
    stages,
  } as unknown as Json;
  const oneNight = async () => {
    const run = await night.start(files.newRunId(), plan);
    const { nodes } = await run.result();
    const drift = (await explain({ store, runId: run.runId, node: 'canary' }))[0]?.differences;
    return { runId: run.runId, answered: nodes['answer']?.reused === false, asked: teacher.asked.length, drift };
  };
  const first = await oneNight();
  expect(first).toMatchObject({ answered: true, asked: 4, drift: [] });
  expect(await oneNight()).toMatchObject({ answered: false, asked: 5, drift: [] });
  teacher.answer = (question) => `Another answer to ${question}`;
  const drifted = await oneNight();
  const changed = `1 of 1 canary prompts are answered otherwise than in run ${first.runId}`;
  expect(drifted).toMatchObject({ answered: true, asked: 9, drift: [changed] });
  expect((await report({ store, runId: drifted.runId })).canaries).toEqual([
    { node: 'canary', prompts: 1, changed: 1, since: first.runId },
  ]);
  // It answers as it did last night: nothing else is asked.
  expect(await oneNight()).toMatchObject({ answered: false, asked: 10, drift: [changed] });
});
