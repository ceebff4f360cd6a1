/** Whole runs whose teacher is behind an endpoint: it answers prompts, and a student learns its answers. */
import type { Json } from '../../storage/index.js';
import { observationsOf, observedCalls, outputOf, recordedIn, rowsOf } from '../support/answers.js';
import { CountingTeacher, faults, type Fault } from '../support/counting-teacher.js';
import { copyModel } from '../support/model-fixtures.js';
import { NightFiles } from '../support/night-files.js';
import { Night } from '../support/night.js';
import { until, type RunningProcess } from '../support/processes.js';

let files: NightFiles;
let night: Night;
let teacher: CountingTeacher;
let student: string;
let io: RunningProcess;

const secret = { NIGHTSTILL_SECRET_TEACHER: 'canary-key-5b1c', NIGHTSTILL_SECRET_TEACHER_HOSTS: '127.0.0.1' };

beforeAll(async () => {
  files = await NightFiles.create();
  student = await copyModel('qwen3-qknorm', files.directory);
  night = await Night.begin(secret);
  [io] = await Promise.all([night.addWorker('io'), night.addWorker('gpu'), night.addWorker('orchestrator')]);
});

beforeEach(async () => (teacher = await CountingTeacher.start()));
afterEach(() => teacher.stop());

afterAll(async () => {
  await night.end();
  await files.remove();
});

const prompts = (count: number): Promise<string> =>
  files.newDataset(
    Array.from(
      { length: count },
      (_, index) => `${JSON.stringify({ id: `q${index}`, prompt: `question ${index}` })}\n`,
    ).join(''),
  );

const prices = { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-27' };

const endpointOf = (given: object = {}): object => ({
  endpoint: teacher.endpoint,
  model: 'large',
  revision: '2026-11',
  terms: { licence: 'MIT', allowsTraining: 'yes' },
  limits: { attempts: 2 },
  ...given,
});

interface AnswerPlan {
  readonly store: string;
  readonly dataset: string;
  readonly given?: object;
  readonly answer?: Json;
  readonly top?: object;
  readonly heartbeatMs?: number;
}

/** Without a student: import and answers alone. */
const answerPlan = ({ store, dataset, given, answer = {}, top = {}, heartbeatMs = 10_000 }: AnswerPlan): Json =>
  ({
    name: 'answers',
    store,
    dataset,
    teacher: endpointOf(given),
    ...top,
    stages: [
      { id: 'import', uses: 'import' },
      {
        id: 'answer',
        uses: 'answer',
        needs: ['import'],
        with: answer,
        timeouts: { heartbeatMs },
        retry: { initialIntervalMs: 200, maximumIntervalMs: 1000 },
      },
    ],
  }) as unknown as Json;

it('a teacher answers, a student learns the answers, and a second night asks nothing', async () => {
  const [store, dataset] = [files.newStore(), await prompts(12)];
  const plan = {
    name: 'nightly',
    store,
    dataset,
    student,
    teacher: endpointOf({ apiKey: 'teacher', prices }),
    answer: { maximumTokens: 20 },
    'fine-tune': { rowTokens: 64, rows: 2, steps: 4 },
  } as unknown as Json;
  const { nodes } = await (await night.start(files.newRunId(), plan)).result();
  expect(Object.keys(nodes).sort()).toEqual(['answer', 'fine-tune', 'import', 'student']);
  expect(await rowsOf(store, outputOf(nodes['answer'], 'dataset'))).toEqual(
    Array.from({ length: 12 }, (_, index) => ({
      id: `q${index}`,
      messages: [
        { role: 'user', content: `question ${index}` },
        { role: 'assistant', content: `The answer to question ${index}` },
      ],
    })),
  );
  const answers = await rowsOf(store, outputOf(nodes['answer'], 'answers'));
  expect(answers[0]).toMatchObject({
    id: 'q0',
    key: teacher.asked.find(({ body }) => body.messages[0]?.content === 'question 0')?.key,
    fate: 'answered',
    revision: '2026-11',
    finishReason: 'stop',
    promptTokens: 10,
    completionTokens: 5,
    spentUsd: 0.00002,
  });
  expect(await observationsOf(store, nodes['answer'])).toMatchObject({
    spentUsd: 0.00024,
    promptTokens: 120,
    served: { 'large fp_1': 12 },
    calls: { asked: 12, answered: 12, possiblyPaidTwice: { calls: 0, atMostUsd: 0 } },
  });
  expect(teacher.asked.map(({ headers }) => headers.authorization)).toEqual(Array(12).fill('Bearer canary-key-5b1c'));
  const again = await (await night.start(files.newRunId(), plan)).result();
  expect(Object.values(again.nodes).every(({ reused }) => reused)).toBe(true);
  expect(teacher.asked).toHaveLength(12);
});

describe('an endpoint that is no teacher fails the run by its name', () => {
  const bad: [string, Fault, code: string, calls: number][] = [
    ['a refused key', faults.status(401), 'teacher-refused-key', 1],
    ['an unknown model', faults.status(404), 'teacher-missing', 1],
    ['HTML', faults.html, 'teacher-reply-invalid', 2],
    ['nothing', faults.empty, 'teacher-reply-invalid', 2],
    ['another model', faults.servedBy('small'), 'teacher-model-mismatch', 1],
    ['requests that it refuses', faults.status(400), 'answer-yield-too-low', 1],
  ];

  it.each(bad)('%s', async (_, fault, code, calls) => {
    teacher.faultFor = () => fault;
    const runId = files.newRunId();
    const plan = answerPlan({
      store: files.newStore(),
      dataset: await prompts(1),
      given: { apiKey: 'teacher', limits: { attempts: 2 } },
    });
    await expect((await night.start(runId, plan)).result()).rejects.toMatchObject({ code });
    expect(teacher.asked).toHaveLength(calls);
    expect((await night.historyOf(runId)).text).not.toContain(secret.NIGHTSTILL_SECRET_TEACHER);
    expect(io.output()).not.toContain(secret.NIGHTSTILL_SECRET_TEACHER);
  });

  it.each([
    ['another host than its key may go to', 'http://localhost', { apiKey: 'teacher' }, 'secret-host-refused'],
    ['a key that the worker does not have', 'http://127.0.0.1', { apiKey: 'none' }, 'secret-missing'],
  ])('%s', async (_, origin, given, code) => {
    const endpoint = teacher.endpoint.replace('http://127.0.0.1', origin);
    const plan = answerPlan({ store: files.newStore(), dataset: await prompts(1), given: { ...given, endpoint } });
    await expect((await night.start(files.newRunId(), plan)).result()).rejects.toMatchObject({ code });
    expect(teacher.asked).toEqual([]);
  });
});

it('calls that break are tried again, and every prompt is answered once', async () => {
  teacher.next(
    faults.halfReply,
    faults.hangUp,
    faults.status(503),
    faults.status(429, { headers: { 'retry-after': '0' } }),
  );
  const [store, dataset] = [files.newStore(), await prompts(8)];
  const plan = answerPlan({ store, dataset, given: { prices, limits: { attempts: 5, parallel: 4 } } });
  const { nodes } = await (await night.start(files.newRunId(), plan)).result();
  expect(outputOf(nodes['answer'], 'dataset').rows).toBe(8);
  expect(teacher.asked).toHaveLength(12);
  expect(teacher.mostAtOnce).toBeLessThanOrEqual(4);
  // A reply that broke and a server error may have been paid for; who is told to wait is not charged.
  expect(await observationsOf(store, nodes['answer'])).toMatchObject({
    calls: { asked: 12, answered: 8, refused: { 'teacher-unavailable': 1 }, possiblyPaidTwice: { calls: 3 } },
  });
});

it('refused and cut-off answers stay out of the dataset, and are counted', async () => {
  teacher.faultFor = ({ body }) =>
    ({ 'question 1': faults.refusal, 'question 2': faults.cutOff, 'question 3': faults.status(400) })[
      body.messages[0]?.content ?? ''
    ];
  const [store, dataset] = [files.newStore(), await prompts(10)];
  const low = answerPlan({ store, dataset });
  await expect((await night.start(files.newRunId(), low)).result()).rejects.toMatchObject({
    code: 'answer-yield-too-low',
    message: expect.stringMatching(/answers to at least 90 % of 10 requests, found 2 without: /),
  });
  const enough = answerPlan({ store, dataset, answer: { minimumYield: 0.7 } });
  const { nodes } = await (await night.start(files.newRunId(), enough)).result();
  expect((await rowsOf(store, outputOf(nodes['answer'], 'dataset'))).map(({ id }) => id)).toEqual([
    'q0',
    'q4',
    'q5',
    'q6',
    'q7',
    'q8',
    'q9',
  ]);
  const fates = (await rowsOf(store, outputOf(nodes['answer'], 'answers'))).map(({ fate }) => fate);
  expect(fates.slice(0, 4)).toEqual(['answered', 'refused', 'cut-off', 'rejected']);
  // What it keeps is another dataset of the same responses: only the request that has none is asked again.
  const before = teacher.asked.length;
  const kept = answerPlan({ store, dataset, answer: { minimumYield: 0.7, keep: ['cut-off'] } });
  expect(outputOf((await (await night.start(files.newRunId(), kept)).result()).nodes['answer'], 'dataset').rows).toBe(
    8,
  );
  expect(teacher.asked).toHaveLength(before + 1);
});

it('a budget stops the run before it is exceeded, and a higher one pays only for what is missing', async () => {
  const [store, dataset] = [files.newStore(), await prompts(40)];
  const given = { prices, limits: { parallel: 2 } };
  const plan = (spendAtMostUsd: number): Json =>
    answerPlan({ store, dataset, given, answer: { maximumTokens: 20 }, top: { budget: { spendAtMostUsd } } });
  await expect((await night.start(files.newRunId(), plan(0.0008))).result()).rejects.toMatchObject({
    code: 'budget-exhausted',
  });
  // Each reply costs 0.00002 dollars; a call is reserved at its upper bound.
  const paid = teacher.answered;
  expect(paid).toBeGreaterThan(5);
  expect(paid * 0.00002).toBeLessThanOrEqual(0.0008);
  const { nodes } = await (await night.start(files.newRunId(), plan(1))).result();
  expect(outputOf(nodes['answer'], 'dataset').rows).toBe(40);
  expect(teacher.answered).toBe(40);
  expect(Math.max(...teacher.timesAsked.values())).toBe(1);
});

it('an io worker that is killed while it asks: the run completes, and no recorded answer is asked for again', async () => {
  teacher.delayMs = 50;
  const parallel = 4;
  const timesOfRecorded = new Map<string, number>();
  const [store, dataset] = [files.newStore(), await prompts(60)];
  const plan = answerPlan({ store, dataset, given: { limits: { parallel } }, heartbeatMs: 4000 });
  const handle = await night.start(files.newRunId(), plan);
  for (const least of [10, 25]) {
    await until('requests under way', () => teacher.asked.length >= least);
    io.signal('SIGKILL');
    await io.exited;
    const [recorded, before] = [await recordedIn(store), teacher.timesAsked];
    expect(recorded.length).toBeGreaterThan(0);
    for (const key of recorded) timesOfRecorded.set(key, before.get(key) ?? 0);
    io = await night.addWorker('io');
  }
  const { nodes } = await handle.result();
  expect(outputOf(nodes['answer'], 'dataset').rows).toBe(60);
  expect(teacher.asked.length).toBeLessThanOrEqual(60 + 2 * parallel);
  expect(teacher.timesAsked.size).toBe(60);
  const twice = [...teacher.timesAsked.values()].reduce((sum, times) => sum + times - 1, 0);
  for (const [key, times] of timesOfRecorded) expect(teacher.timesAsked.get(key)).toBe(times);
  // Every call had an intent: what the teacher heard twice is among those that may be paid twice.
  const { calls } = observedCalls.parse(await observationsOf(store, nodes['answer']));
  expect(calls.answered).toBe(60);
  expect(twice).toBeLessThanOrEqual(calls.possiblyPaidTwice.calls);
  expect(calls.possiblyPaidTwice.calls).toBeLessThanOrEqual(2 * parallel);
});

it('a cancelled run ends in order: what was under way is recorded, and never asked again', async () => {
  teacher.delayMs = 300;
  const [store, dataset] = [files.newStore(), await prompts(30)];
  const plan = answerPlan({ store, dataset, given: { limits: { parallel: 3 } } });
  const handle = await night.start(files.newRunId(), plan);
  await until('requests under way', () => teacher.asked.length >= 6);
  await handle.cancel();
  await expect(handle.result()).rejects.toMatchObject({ code: 'run-cancelled' });
  teacher.delayMs = 0;
  await (await night.start(files.newRunId(), plan)).result();
  expect(Math.max(...teacher.timesAsked.values())).toBe(1);
  expect(teacher.asked).toHaveLength(30);
});
