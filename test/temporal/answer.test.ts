/** Whole runs whose teacher is behind an endpoint: it answers prompts, and a student learns its answers. */
import { readdirSync } from 'node:fs';
import type { Json } from '../../storage/index.js';
import {
  describedTeacher,
  killAsking,
  observationsOf,
  observedCalls,
  outputOf,
  planOfAnswers,
  promptLines,
  rowsOf,
  type AnswerPlan,
} from '../support/answers.js';
import { CountingTeacher, faults, type Fault } from '../support/counting-teacher.js';
import { LoopbackOnly } from '../support/loopback-only.js';
import { modelDirectory } from '../support/model-directories.js';
import { copyModel } from '../support/model-fixtures.js';
import { holdComputing, metricsOf, runningIn, serve } from '../support/model-server.js';
import { NightFiles } from '../support/night-files.js';
import { Night } from '../support/night.js';
import { until, type RunningProcess } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary.js';

let files: NightFiles;
let night: Night;
let teacher: CountingTeacher;
let student: string;
let io: RunningProcess;

const loopback = new LoopbackOnly();
const secret = { NIGHTSTILL_SECRET_TEACHER: 'canary-key-5b1c', NIGHTSTILL_SECRET_TEACHER_HOSTS: '127.0.0.1' };

beforeAll(async () => {
  files = await NightFiles.create();
  student = await copyModel('qwen3-qknorm', files.directory);
  night = await Night.begin({ ...secret, ...loopback.environment });
  [io] = await Promise.all([night.addWorker('io'), night.addWorker('gpu'), night.addWorker('orchestrator')]);
});

beforeEach(async () => (teacher = await CountingTeacher.start()));
afterEach(() => teacher.stop());

afterAll(async () => {
  await night.end();
  await files.remove();
});

const prompts = (count: number): Promise<string> => files.newDataset(promptLines(count));

const prices = { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-27' };

const endpointOf = (given: object = {}): object => ({ ...describedTeacher, endpoint: teacher.endpoint, ...given });

const answerPlan = ({ given, ...plan }: Omit<AnswerPlan, 'teacher'> & { readonly given?: object }): Json =>
  planOfAnswers({ ...plan, teacher: endpointOf(given) });

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

describe('an endpoint that is no teacher fails the run by its name, and says what to do', () => {
  const noTemperature = faults.status(400, { code: 'unsupported_value', param: 'temperature' });
  const bad: [string, Fault, code: string, remedy: string, calls: number][] = [
    ['a refused key', faults.status(401), 'teacher-refused-key', 'a key that the endpoint takes', 1],
    ['an unknown model', faults.status(404), 'teacher-missing', 'Correct the endpoint or the model', 1],
    ['HTML', faults.html, 'teacher-reply-invalid', 'Correct the endpoint', 2],
    ['nothing', faults.empty, 'teacher-reply-invalid', 'Correct the endpoint', 2],
    // May pass: the stage is tried five times.
    ['half a reply, whenever it is asked', faults.halfReply, 'teacher-unavailable', 'Wait, or check the endpoint', 10],
    ['another model', faults.servedBy('small'), 'teacher-model-mismatch', 'say in servedAs by which name', 1],
    ['a field that it takes from no request', noTemperature, 'teacher-incapable', 'omittedFields', 1],
    ['requests that it refuses', faults.status(400), 'answer-yield-too-low', 'change prompts or options', 1],
  ];

  it.each(bad)('%s', async (_, fault, code, remedy, calls) => {
    teacher.faultFor = () => fault;
    const runId = files.newRunId();
    const plan = answerPlan({ store: files.newStore(), dataset: await prompts(1), given: { apiKey: 'teacher' } });
    await expect((await night.start(runId, plan)).result()).rejects.toMatchObject({
      code,
      remedy: expect.stringContaining(remedy) as string,
    });
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
  // A reply that broke may have been paid for; who is told to wait, or that nobody is free, is not charged.
  expect(await observationsOf(store, nodes['answer'])).toMatchObject({
    calls: { asked: 12, answered: 8, refused: { 'teacher-unavailable': 2 }, possiblyPaidTwice: { calls: 2 } },
  });
});

it('refused and cut-off answers stay out of the dataset, and are counted', async () => {
  const rejection = faults.saying(400, { error: { message: 'Cannot take: echo $HOME' } });
  const faultOf: Record<string, Fault> = { 1: faults.refusal, 2: faults.cutOff, 3: rejection };
  teacher.faultFor = ({ body }) => faultOf[body.messages[0]?.content.slice('question '.length) ?? ''];
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
  const [store, dataset] = [files.newStore(), await prompts(60)];
  const plan = answerPlan({ store, dataset, given: { limits: { parallel } }, heartbeatMs: 4000 });
  const handle = await night.start(files.newRunId(), plan);
  const timesOfRecorded = new Map<string, number>();
  for (const least of [10, 25]) {
    const recorded = await killAsking({ io, teacher, store, least });
    expect(recorded.size).toBeGreaterThan(0);
    for (const [key, times] of recorded) timesOfRecorded.set(key, times);
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

it('a model of this machine teaches: it computes each key once though the io worker is killed, and no worker leaves the machine', async () => {
  const log = temporaryDirectory();
  const words = ['--idempotency-log', log, '--name', 'large'];
  const server = await serve(modelDirectory(), words, loopback.environment);
  const [store, dataset, count] = [files.newStore(), await prompts(16), 16];
  const given = {
    endpoint: `${server.url}/v1`,
    tokenLimitField: 'max_completion_tokens',
    limits: { parallel: 4, attempts: 2 },
  };
  const options = { maximumTokens: 12, keep: ['cut-off'], minimumYield: 0.1 };
  const inputs = { dataset: 'answer.dataset', model: 'student.model' };
  const training = { rowTokens: 64, rows: 2, steps: 4 };
  const further = [
    { id: 'student', uses: 'import-model', with: { model: student } },
    { id: 'fine-tune', uses: 'fine-tune', needs: ['answer', 'student'], inputs, with: training },
  ];
  const plan = answerPlan({ store, dataset, given, answer: options, heartbeatMs: 4000, further });
  const letGo = holdComputing(server);
  let result;
  try {
    result = (await night.start(files.newRunId(), plan)).result();
    await Promise.race([result, runningIn(server, { running: 4, queue: 0 })]);
    io.signal('SIGKILL');
    await io.exited;
  } finally {
    letGo();
  }
  io = await night.addWorker('io');
  const { nodes } = await result;
  const answers = await rowsOf(store, outputOf(nodes['answer'], 'answers'));
  const tokens = answers.reduce((sum, { completionTokens }) => sum + Number(completionTokens), 0);
  const metrics = await metricsOf(server);
  expect(new Set(answers.map(({ key }) => key)).size).toBe(count);
  expect(readdirSync(log)).toHaveLength(count);
  // No token more than those of the answers: what was asked twice was computed once.
  expect(metrics.get('nightstill_generated_tokens_total')).toBe(tokens);
  expect(metrics.get('nightstill_replayed_total')).toBe(4);
  expect(await observationsOf(store, nodes['answer'])).toMatchObject({
    calls: { asked: count + 4, answered: count, possiblyPaidTwice: { calls: 4 } },
  });
  server.signal('SIGTERM');
  await server.exited;

  for (const program of ['io', 'gpu', 'orchestrator', 'trainer', 'import-child', 'model-server/engine-child'])
    expect(loopback.guarded).toContainEqual(expect.stringContaining(`workers/${program}.js`));
  expect(loopback.refused).toEqual([]);
  expect(await loopback.leave()).toBe('EACCES');
  expect(loopback.refused).toHaveLength(1);
});
