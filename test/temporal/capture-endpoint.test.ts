/** Whole runs that learn the distributions of a teacher behind an endpoint: as from its directory, and no reply is bought twice. */
import { openTokenizer } from '../../engine/index.js';
import { lookupResult, type Json } from '../../storage/index.js';
import { describedTeacher, inStore, killAsking, observationsOf, outputOf, promptLines } from '../support/answers.js';
import { CountingTeacher } from '../support/counting-teacher.js';
import { samplesOf, storedFor, vocabularySize } from '../support/endpoint-capture.js';
import { modelDirectory } from '../support/model-directories.js';
import { serve } from '../support/model-server.js';
import { NightFiles } from '../support/night-files.js';
import { Night } from '../support/night.js';
import type { RunningProcess } from '../support/processes.js';
import { scoresAs } from '../support/scoring-teacher.js';
import { temporaryDirectory } from '../support/temporary.js';

const tokens = { rowTokens: 64 };
const prices = { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-27' };
const secret = { NIGHTSTILL_SECRET_TEACHER: 'canary-key-71af', NIGHTSTILL_SECRET_TEACHER_HOSTS: '127.0.0.1' };

let files: NightFiles;
let night: Night;
let io: RunningProcess;
beforeAll(async () => {
  files = await NightFiles.create();
  night = await Night.begin(secret);
  [io] = await Promise.all([night.addWorker('io'), night.addWorker('gpu'), night.addWorker('orchestrator')]);
});
afterAll(async () => {
  await night.end();
  await files.remove();
});

it('a model behind `nightstill serve` gives what its directory gives: the same ids, and log-probabilities within 1e-4', async () => {
  const large = modelDirectory('qwen2-gqa-tied');
  const server = await serve(large, ['--name', 'large', '--idempotency-log', temporaryDirectory()]);
  const [store, rows] = [files.newStore(), 4];
  const capture = { ...tokens, k: 10, valueType: 'float32' };
  const plan = {
    name: 'captured',
    store,
    dataset: await files.newDataset(promptLines(rows)),
    teacher: { ...describedTeacher, endpoint: `${server.url}/v1`, tokenLimitField: 'max_completion_tokens', prices },
    budget: { spendAtMostUsd: 1 },
    numerics: { runner: 'wasm', threads: 1 },
    stages: [
      { id: 'import', uses: 'import' },
      { id: 'student', uses: 'import-model', with: { model: modelDirectory() } },
      { id: 'large', uses: 'import-model', with: { model: large } },
      {
        id: 'answer',
        uses: 'answer',
        needs: ['import'],
        with: { maximumTokens: 8, keep: ['cut-off'], minimumYield: 0.5 },
      },
      {
        id: 'served',
        uses: 'capture-endpoint',
        needs: ['answer', 'student'],
        inputs: { dataset: 'answer.dataset' },
        with: capture,
      },
      {
        id: 'local',
        uses: 'capture',
        needs: ['answer', 'student', 'large'],
        inputs: { dataset: 'answer.dataset', teacher: 'large.model', student: 'student.model' },
        with: { ...capture, temperatures: [1] },
      },
      {
        id: 'distill',
        uses: 'distill',
        needs: ['served', 'student'],
        inputs: { dataset: 'served.dataset', logits: 'served.logits', model: 'student.model' },
        with: { ...tokens, temperature: 1, rows: 2, steps: 2 },
      },
    ],
  } as unknown as Json;
  const { nodes } = await (await night.start(files.newRunId(), plan)).result();
  await inStore(store, async (opened) => {
    const dataset = outputOf(nodes['answer'], 'dataset');
    const ground = { store: opened, dataset, small: outputOf(nodes['student'], 'model') };
    const samples = await samplesOf(ground);
    const [served, local] = [
      await storedFor(ground, outputOf(nodes['served'], 'logits'), samples),
      await storedFor(ground, outputOf(nodes['local'], 'logits'), samples),
    ];
    expect(served.length).toBeGreaterThan(rows * 10);
    for (const [position, { ids, logProbabilities, missingMass }] of local.entries()) {
      expect(served[position]?.ids).toEqual(ids);
      logProbabilities.forEach((value, at) =>
        expect(Math.abs((served[position]?.logProbabilities[at] ?? NaN) - value)).toBeLessThan(1e-4),
      );
      expect(Math.abs((served[position]?.missingMass ?? NaN) - missingMass)).toBeLessThan(1e-4);
    }
    const result = await lookupResult(opened, nodes['served']?.stageKey ?? '');
    expect(result?.outcome.facts).toMatchObject({
      rows: samples.length,
      unalignedShare: 0,
      distributions: served.length,
    });
    expect(outputOf(nodes['served'], 'dataset')).toEqual(dataset);
  });
  expect(outputOf(nodes['distill'], 'model').bytes).toBeGreaterThan(0);
  server.signal('SIGTERM');
  await server.exited;
});

it('an io worker that is killed while it captures: the run completes, and what is recorded is not asked for again', async () => {
  const [parallel, rows] = [2, 16];
  const student = modelDirectory();
  const teacher = await CountingTeacher.start();
  teacher.score = scoresAs({ tokenizer: await openTokenizer(student), vocabularySize });
  teacher.delayMs = 50;
  const store = files.newStore();
  const messages = (row: number) => [
    { role: 'user', content: `question ${row}` },
    { role: 'assistant', content: `The answer is ${row}.` },
  ];
  const lines = Array.from({ length: rows }, (_, row) => `${JSON.stringify({ messages: messages(row) })}\n`);
  const plan = {
    name: 'captured',
    store,
    dataset: await files.newDataset(lines.join('')),
    teacher: { ...describedTeacher, endpoint: teacher.endpoint, apiKey: 'teacher', prices, limits: { parallel } },
    stages: [
      { id: 'import', uses: 'import' },
      { id: 'student', uses: 'import-model', with: { model: student } },
      {
        id: 'capture',
        uses: 'capture-endpoint',
        needs: ['import', 'student'],
        with: { ...tokens, k: 10, shardBytes: 4096 },
        timeouts: { heartbeatMs: 4000 },
        retry: { initialIntervalMs: 200, maximumIntervalMs: 1000 },
      },
    ],
  } as unknown as Json;
  const runId = files.newRunId();
  const handle = await night.start(runId, plan);
  const timesOfRecorded = new Map<string, number>();
  for (const least of [4, 9]) {
    const recorded = await killAsking({ io, teacher, store, least });
    expect(recorded.size).toBeGreaterThan(0);
    for (const [key, times] of recorded) timesOfRecorded.set(key, times);
    io = await night.addWorker('io');
  }
  const { nodes } = await handle.result();
  expect(outputOf(nodes['capture'], 'logits').rows).toBe(rows);
  expect(teacher.timesAsked.size).toBe(rows);
  expect(teacher.asked.length).toBeLessThanOrEqual(rows + 2 * parallel);
  for (const [key, times] of timesOfRecorded) expect(teacher.timesAsked.get(key)).toBe(times);
  expect(await observationsOf(store, nodes['capture'])).toMatchObject({ calls: { answered: rows } });
  expect(teacher.asked[0]?.headers.authorization).toBe(`Bearer ${secret.NIGHTSTILL_SECRET_TEACHER}`);
  expect((await night.historyOf(runId)).text).not.toContain(secret.NIGHTSTILL_SECRET_TEACHER);
  expect(io.output()).not.toContain(secret.NIGHTSTILL_SECRET_TEACHER);
  await teacher.stop();
});

it('an endpoint that gives fewer log-probabilities than a plan needs fails it before an answer is bought; later nights do not need it at all', async () => {
  const student = modelDirectory();
  const teacher = await CountingTeacher.start();
  teacher.score = scoresAs({ tokenizer: await openTokenizer(student), vocabularySize, most: 20 });
  const { endpoint } = teacher;
  const [store, dataset] = [files.newStore(), await files.newDataset(promptLines(4))];
  const planOf = (k: number) =>
    ({
      name: 'foreseen',
      store,
      dataset,
      teacher: { ...describedTeacher, endpoint },
      stages: [
        { id: 'import', uses: 'import' },
        { id: 'student', uses: 'import-model', with: { model: student } },
        { id: 'answer', uses: 'answer', needs: ['import'] },
        {
          id: 'capture',
          uses: 'capture-endpoint',
          needs: ['answer', 'student'],
          inputs: { dataset: 'answer.dataset' },
          with: { ...tokens, k },
        },
      ],
    }) as unknown as Json;
  await expect((await night.start(files.newRunId(), planOf(50))).result()).rejects.toMatchObject({
    code: 'teacher-logprobs-capped',
  });
  expect(teacher.asked).toHaveLength(1);

  const { nodes } = await (await night.start(files.newRunId(), planOf(10))).result();
  expect(outputOf(nodes['capture'], 'logits').rows).toBe(4);
  // One finds out, four are answers, four are about these.
  expect(teacher.asked).toHaveLength(1 + 1 + 4 + 4);

  await teacher.stop();
  const again = await (await night.start(files.newRunId(), planOf(10))).result();
  expect(Object.values(again.nodes).every(({ reused }) => reused)).toBe(true);
});
