/**
 * The plan of a night in small: prompts that a teacher answers over HTTP, a student that learns the answers and then the
 * distributions of a model of this machine, is measured, judged and promoted. Models are tiny; everything depends on seeds alone.
 */
import type { Json, JsonObject } from '../../storage/index.js';
import { promptLines } from './answers.js';
import { putObject } from './datasets.js';
import type { StageLife } from './kill-orders.js';
import { patience, writeMicroModels } from './micro-plan.js';
import { conversationLines } from './model-fixtures.js';
import type { Pipeline, StormPlace } from './storm-pipeline.js';
import { TeacherProcess } from './teacher-process.js';

export const promptCount = 12;
export const parallel = 3;

const briefly = ['lookup', 'claim', 'seal', 'result'] as const;
const trains = ['lookup', 'claim', 'work', 'save', 'seal', 'result'] as const;

/** In the order in which they can come to be done: each waits for the one before, so that none passes its moment while another is disturbed. */
export const nightStages: readonly StageLife[] = [
  { id: 'import', hosts: ['io worker'], moments: briefly },
  { id: 'held-out', hosts: ['io worker'], moments: briefly },
  { id: 'teacher', hosts: ['io worker'], moments: briefly },
  { id: 'student', hosts: ['io worker'], moments: briefly },
  {
    id: 'answer',
    hosts: ['io worker', 'teacher server'],
    moments: ['lookup', 'claim', 'ask', 'record', 'seal', 'result'],
  },
  { id: 'fine-tune', hosts: ['trainer child', 'gpu worker'], moments: trains },
  { id: 'capture', hosts: ['gpu worker'], moments: briefly },
  { id: 'distill', hosts: ['trainer child', 'gpu worker'], moments: trains },
  { id: 'evaluate', hosts: ['gpu worker'], moments: briefly },
  { id: 'gate', hosts: ['io worker'], moments: briefly },
  // Its key is another in every run.
  { id: 'promote', hosts: ['io worker'], moments: ['move'] },
];

export const nightName = 'night';

/** What is asked of the teacher in every run. */
const described = (endpoint: string): JsonObject => ({
  endpoint,
  model: 'large',
  revision: '2026-11',
  terms: { licence: 'MIT', allowsTraining: 'yes' },
  prices: { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-27' },
  // A call that is held outlasts the kill; a teacher that dies three times is asked a fourth time.
  limits: { parallel, timeout: '280s', attempts: 12 },
});

export interface AskingRequest {
  readonly store: string;
  readonly dataset: string;
  readonly endpoint: string;
  /** Beside what is said of it in every run. */
  readonly teacher?: JsonObject;
  readonly spendAtMostUsd?: number;
  readonly answer?: object;
}

/** Only the prompts and their answers. */
export const askingPlan = ({
  store,
  dataset,
  endpoint,
  teacher = {},
  spendAtMostUsd,
  answer,
}: AskingRequest): Json => ({
  name: 'asking',
  store,
  teacher: { ...described(endpoint), ...teacher },
  ...(spendAtMostUsd !== undefined && { budget: { spendAtMostUsd } }),
  stages: [
    { id: 'import', uses: 'import', with: { dataset }, ...patience },
    { id: 'answer', uses: 'answer', needs: ['import'], with: { maximumTokens: 20, ...answer }, ...patience },
  ],
});

const tokens = { rowTokens: 64 };
const training = { ...tokens, rows: 4, learningRate: 1e-3 };

export async function prepareNight({
  s3,
  files,
}: StormPlace): Promise<Pipeline & { readonly teacher: TeacherProcess }> {
  const datasets = s3.url('datasets');
  await putObject(datasets, 'prompts.jsonl', promptLines(promptCount));
  await putObject(datasets, 'held-out.jsonl', conversationLines(4));
  const models = await writeMicroModels(files.directory);
  const teacher = await TeacherProcess.start(files.directory, parallel);
  const stage = (id: string, uses: string, options: Json, inputs: Readonly<Record<string, string>> = {}) => {
    const before = nightStages[nightStages.findIndex((life) => life.id === id) - 1];
    const makers = Object.values(inputs).map((output) => output.split('.')[0] ?? '');
    const needs = [...new Set([...(before ? [before.id] : []), ...makers])];
    return { id, uses, needs, inputs, with: options, ...patience };
  };
  const answers = { dataset: 'answer.dataset' };
  const distilled = { model: 'distill.model' };
  const stages = [
    stage('import', 'import', { dataset: s3.url('datasets/prompts.jsonl') }),
    stage('held-out', 'import', { dataset: s3.url('datasets/held-out.jsonl') }),
    stage('teacher', 'import-model', { model: models.teacher }),
    stage('student', 'import-model', { model: models.student }),
    stage('answer', 'answer', { maximumTokens: 20 }, { dataset: 'import.dataset' }),
    stage('fine-tune', 'fine-tune', { ...training, epochs: 40, steps: 60 }, { ...answers, model: 'student.model' }),
    stage(
      'capture',
      'capture',
      { ...tokens, k: 4 },
      { ...answers, teacher: 'teacher.model', student: 'student.model' },
    ),
    stage(
      'distill',
      'distill',
      { ...training, epochs: 40, steps: 60, seed: 1 },
      { ...answers, logits: 'capture.logits', model: 'fine-tune.model' },
    ),
    stage(
      'evaluate',
      'evaluate',
      { scorers: ['exact-match'], maximumTokens: 4, context: 128 },
      { ...distilled, dataset: 'held-out.dataset' },
    ),
    stage('gate', 'gate', {}, { ...distilled, candidate: 'evaluate.scores' }),
    stage('promote', 'promote', {}, { ...distilled, verdict: 'gate.verdict', dataset: 'import.dataset' }),
  ];
  const plan = ({ store, threads = 1 }: { readonly store: string; readonly threads?: number }): Json => ({
    name: nightName,
    store,
    teacher: described(teacher.endpoint),
    loseAtMost: '100ms',
    numerics: { threads },
    gates: [{ score: 'exact-match', atLeast: 0, minItems: 1 }],
    stages,
  });
  return { stages: nightStages, plan, teacher };
}
