/** Whole runs whose teacher is a model on this machine, and runs that watch whether a teacher behind an endpoint has changed. */
import { explain, findModel, report } from '../../client/index.js';
import type { NodeResult } from '../../config/plan.js';
import { openLedger } from '../../distillation/index.js';
import { openObjectStore, type Json } from '../../storage/index.js';
import { describedTeacher, outputOf, planOfAnswers, promptLines, rowsOf } from '../support/answers.js';
import { CountingTeacher, faults } from '../support/counting-teacher.js';
import { homePlan } from '../support/home-plan.js';
import { LoopbackOnly } from '../support/loopback-only.js';
import { conversationLines, copyModel } from '../support/model-fixtures.js';
import { NightFiles } from '../support/night-files.js';
import { Night } from '../support/night.js';
import { holdInUnreadableNamespace } from '../support/unreadable-share.js';

const loopback = new LoopbackOnly();
let files: NightFiles;
let night: Night;
let teacher: CountingTeacher;
let student: string;

beforeAll(async () => {
  files = await NightFiles.create();
  student = await copyModel('qwen3-qknorm', files.directory);
  night = await Night.begin(loopback.environment);
  await Promise.all([night.addWorker('io'), night.addWorker('gpu'), night.addWorker('orchestrator')]);
});

beforeEach(async () => (teacher = await CountingTeacher.start()));
afterEach(() => teacher.stop());

afterAll(async () => {
  await night.end();
  await files.remove();
});

const prompts = (count: number): Promise<string> => files.newDataset(promptLines(count));

it('with a teacher on this machine and a store of its own a whole night leads to a promotion, and nothing leaves the machine; a second night computes nothing', async () => {
  const store = files.newStore();
  const plan = homePlan({
    name: 'at-home',
    store,
    dataset: await prompts(12),
    evaluation: await files.newDataset(conversationLines(4)),
    student,
    teacher: await copyModel('qwen2-gqa-tied', files.directory),
  });
  const { nodes } = await (await night.start(files.newRunId(), plan)).result();
  const path = ['import', 'answer', 'fine-tune', 'capture', 'distill', 'evaluate', 'gate', 'promote'];
  expect(path.filter((id) => nodes[id]?.reused !== false)).toEqual([]);
  const answers = await rowsOf(store, outputOf(nodes['answer'], 'answers'));
  expect(answers).toHaveLength(12);
  for (const each of answers)
    expect(each).toMatchObject({ revision: outputOf(nodes['teacher'], 'model').digest, spentUsd: 0 });
  expect(outputOf(nodes['capture'], 'logits').rows).toBe(12);
  expect(await findModel({ store, name: 'at-home' })).toMatchObject({
    counter: 1,
    current: { digest: outputOf(nodes['distill'], 'model').digest },
  });
  const again = await (await night.start(files.newRunId(), plan)).result();
  expect(Object.values(again.nodes).every(({ reused }) => reused)).toBe(true);

  const children = ['import-child', 'answer-child', 'trainer', 'capture-child', 'evaluate-child'];
  for (const program of ['io', 'gpu', 'orchestrator', ...children])
    expect(loopback.guarded).toContainEqual(expect.stringContaining(`workers/${program}.js`));
  expect(loopback.refused).toEqual([]);
  expect(await loopback.leave()).toBe('EACCES');
  expect(loopback.refused).toHaveLength(1);
});

it('runs that share a month stop at its cap, though each has money of its own left, and go on beside a share that nobody can ask about', async () => {
  const store = files.newStore();
  const prices = { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-27' };
  const asked = { ...describedTeacher, endpoint: teacher.endpoint, prices, limits: { parallel: 1 } };
  const period = { every: 'month', spendAtMostUsd: 0.0008, name: 'team' };
  const top = { budget: { spendAtMostUsd: 1, period } };
  const run = async (count: number) => {
    const dataset = await prompts(count);
    const plan = planOfAnswers({ store, dataset, teacher: asked, answer: { maximumTokens: 20 }, top });
    return (await night.start(files.newRunId(), plan)).result();
  };
  // Nearly all that the cap has room for; with a month of its own, the second would double it.
  await run(20);
  await holdInUnreadableNamespace(store, asked, top.budget);
  await expect(run(100)).rejects.toMatchObject({
    code: 'budget-exhausted',
    message: expect.stringContaining('budget.period.spendAtMostUsd: expected room') as string,
  });
  // Each reply costs 0.00002 dollars; a call is reserved at its upper bound.
  expect(teacher.answered).toBeGreaterThan(20);
  expect(teacher.answered * 0.00002).toBeLessThanOrEqual(0.0008);
});

it('answers that are older than the plan allows are asked for again, once, and no other is', async () => {
  const [plain, aged, dataset] = [files.newStore(), files.newStore(), await prompts(4)];
  const planIn = (store: string, given: object = {}) =>
    planOfAnswers({ store, dataset, teacher: { ...describedTeacher, endpoint: teacher.endpoint, ...given } });
  const oneNight = async (plan: Json) => {
    const { nodes } = await (await night.start(files.newRunId(), plan)).result();
    return { texts: await answersIn(aged, nodes['answer']), asked: teacher.asked.length };
  };
  await (await night.start(files.newRunId(), planIn(plain))).result();
  const ageInDays = [40, 32, 29, 0];
  await copyAnswers(plain, aged, (row) =>
    new Date(Date.now() - (ageInDays[row] ?? 0) * 24 * 3600 * 1000).toISOString(),
  );
  teacher.answer = (question) => `Now ${question}`;
  const [old, now] = ['The answer to', 'Now'];
  const mixed = [now, now, old, old].map((word, row) => `${word} question ${row}`);
  expect(await oneNight(planIn(aged))).toEqual({ texts: mixed.map((_, row) => `${old} question ${row}`), asked: 4 });
  expect(await oneNight(planIn(aged, { maxAge: '30d' }))).toEqual({ texts: mixed, asked: 6 });
  teacher.answer = () => 'never heard';
  expect(await oneNight(planIn(aged, { maxAge: '30d' }))).toEqual({ texts: mixed, asked: 6 });
  expect(await oneNight(planIn(aged, { maxAge: '31d' }))).toEqual({ texts: mixed, asked: 6 });
});

it('after a changed revision of the teacher a night asks everything anew, and says why', async () => {
  const [store, dataset] = [files.newStore(), await prompts(3)];
  const oneNight = async (revision: string) => {
    const described = { ...describedTeacher, endpoint: teacher.endpoint, revision };
    const { runId, result } = await startedNight(planOfAnswers({ store, dataset, teacher: described }));
    const ran = Object.entries((await result).nodes).flatMap(([id, { reused }]) => (reused ? [] : [id]));
    const [explained] = await explain({ store, runId, node: 'answer' });
    return { ran: ran.toSorted(), asked: teacher.asked.length, why: explained?.differences };
  };
  expect(await oneNight('2026-11')).toMatchObject({ ran: ['answer', 'import'], asked: 3 });
  expect(await oneNight('2026-12')).toEqual({
    ran: ['answer'],
    asked: 6,
    why: ['teacher.revision: 2026-11 → 2026-12'],
  });
});

async function startedNight(plan: Json) {
  const run = await night.start(files.newRunId(), plan);
  return { runId: run.runId, result: run.result() };
}

async function answersIn(store: string, node: NodeResult | undefined): Promise<string[]> {
  const rows = await rowsOf(store, outputOf(node, 'dataset'));
  return rows.map(({ messages }) => (messages as { content: string }[]).at(-1)?.content ?? '');
}

/** As if they had been recorded then. */
async function copyAnswers(from: string, to: string, recordedAt: (row: number) => string): Promise<void> {
  const [source, target] = await Promise.all([openObjectStore(from), openObjectStore(to, { forWriting: true })]);
  const identity = { ...describedTeacher, endpoint: teacher.endpoint };
  const request = { teacher: identity, runId: 'copied', holder: { stage: 'copied', fence: 1 } };
  const [before, after] = [await openLedger(source, request), await openLedger(target, request)];
  for (const { key, body } of teacher.asked) {
    const recorded = (await before.find([key])).get(key);
    const intent = await after.intend({ key, atMost: undefined });
    if (!recorded || !('call' in intent)) throw new Error('expected an answer to copy');
    const row = Number(body.messages[0]?.content.split(' ')[1]);
    const observations = { recordedAt: recordedAt(row) };
    await after.record(intent.call, { content: recorded.content, price: undefined, observations });
  }
  for (const each of [before, after, source, target]) await each.close();
}

it('a model that the endpoint does not list is told before anything is asked', async () => {
  teacher.models = ['medium', 'small'];
  const described = { ...describedTeacher, endpoint: teacher.endpoint };
  const plan = planOfAnswers({ store: files.newStore(), dataset: await prompts(2), teacher: described });
  await expect((await night.start(files.newRunId(), plan)).result()).rejects.toMatchObject({
    code: 'teacher-missing',
    message: expect.stringContaining('found medium, small') as string,
  });
  expect(teacher.asked).toHaveLength(0);
  teacher.models = ['large', 'small'];
  await (await night.start(files.newRunId(), plan)).result();
  expect(teacher.asked).toHaveLength(2);
});

it('canaries are all that an unchanged night asks; when they are answered otherwise, everything is asked anew, and the run says so', async () => {
  const [store, dataset] = [files.newStore(), await prompts(3)];
  const canary = { prompts: ['Who are you?'], onDrift: 'ask-again' };
  const prices = { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-26' };
  const stages = [
    { id: 'import', uses: 'import' },
    { id: 'canary', uses: 'canary' },
    { id: 'answer', uses: 'answer', needs: ['import', 'canary'], inputs: { identity: 'canary.identity' } },
  ];
  const plan = {
    name: 'watched',
    store,
    dataset,
    teacher: { ...describedTeacher, endpoint: teacher.endpoint, canary, prices },
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
  const last = await oneNight();
  expect(last).toMatchObject({ answered: false, asked: 10, drift: [changed] });
  // The answers that it reuses and its own canary, not those of the nights before.
  expect((await report({ store, runId: last.runId })).paid).toEqual([
    { node: 'answer', usd: 0.00006 },
    { node: 'canary', usd: 0.00002 },
  ]);
});

it('a teacher behind an endpoint is measured as its students are: once, with every item counted, and a gate compares with it', async () => {
  const held = (row: number): object => ({
    id: `held-${row}`,
    messages: [
      { role: 'user', content: `held out ${row}` },
      { role: 'assistant', content: row % 2 === 0 ? `The answer to held out ${row}` : 'something else' },
    ],
  });
  const [store, dataset] = [files.newStore(), await prompts(8)];
  const evaluation = await files.newDataset(
    Array.from({ length: 20 }, (_, row) => JSON.stringify(held(row))).join('\n'),
  );
  teacher.faultFor = ({ body }) =>
    ({ 'held out 0': faults.status(400), 'held out 1': faults.refusal, 'held out 2': faults.cutOff })[
      body.messages[0]?.content ?? ''
    ];
  const prices = { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-27' };
  const plan = {
    name: 'measured',
    store,
    dataset,
    evaluation,
    student,
    teacher: { ...describedTeacher, endpoint: teacher.endpoint, prices },
    budget: { spendAtMostUsd: 1 },
    'fine-tune': { rowTokens: 64, rows: 2, steps: 2 },
    evaluate: { maximumTokens: 8, context: 128 },
    gates: [{ score: 'exact-match', atLeast: 0, of: 'teacher', minItems: 20 }],
    numerics: { runner: 'wasm', threads: 1 },
  } as unknown as Json;
  const run = await night.start(files.newRunId(), plan);
  const { nodes } = await run.result();
  expect(teacher.asked).toHaveLength(28);
  const limits = teacher.asked.map(
    ({ body }) => body as { readonly max_tokens?: number; readonly temperature?: number },
  );
  expect(limits.filter(({ max_tokens, temperature }) => max_tokens === 8 && temperature === 0)).toHaveLength(20);

  const found = await report({ store, runId: run.runId, usdPerHour: 1 });
  const [measured, learned] = found.tables[0]?.systems ?? [];
  // Of the ten even items one was not taken; one was cut off, and says what it should.
  expect(measured).toMatchObject({
    system: 'teacher',
    evaluation: 'evaluate-teacher',
    right: 9,
    mean: 9 / 20,
    agreement: 1,
    model: null,
    weightBytes: null,
    forwardKl: null,
    latencyP95Ms: expect.any(Number) as number,
    usdPer1000: 0.02,
  });
  expect(learned).toMatchObject({ agreement: expect.any(Number) as number, right: 0 });
  expect(found.paid.map(({ node, usd }) => [node, usd])).toEqual(
    expect.arrayContaining([['answer-evaluation', expect.closeTo(0.00038, 9) as number]]),
  );
  expect(found.paid.map(({ node }) => node).sort()).toEqual(['answer', 'answer-evaluation']);
  expect(found.distillationUsd).toBeGreaterThan(0.00038);
  expect(found.notCompared).not.toContain('teacher');
  expect(found.verdicts[0]?.reasons.join()).toContain('the teacher');
  const scored = await rowsOf(store, outputOf(nodes['evaluate-teacher'], 'scores'));
  expect(scored.slice(0, 3).map(({ finish, text }) => [finish, text])).toEqual([
    ['rejected', ''],
    ['refused', 'I will not.'],
    ['length', 'The answer to held out 2'],
  ]);

  const again = await (await night.start(files.newRunId(), plan)).result();
  expect(Object.values(again.nodes).every(({ reused }) => reused)).toBe(true);
  expect(teacher.asked).toHaveLength(28);
});
