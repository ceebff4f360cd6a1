/**
 * The whole pipeline in small: tiny models with random weights, a dataset of questions, and a plan whose undisturbed run takes
 * seconds, with several checkpoints a second. Everything depends on seeds alone: two runs come to the same digests.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readModelConfig } from '../../engine/files/model-config.js';
import { writeModelDirectory } from '../../engine/files/model-directory.js';
import { initialWeight } from '../../engine/models/initialise.js';
import type { Json } from '../../storage/index.js';
import { packageRoot } from '../../tools/package-root.js';
import { jsonLines, putObject } from './datasets.js';
import type { StageLife } from './kill-orders.js';
import type { Pipeline, PlanRequest, StormPlace } from './storm-pipeline.js';

const [briefly, withCheckpoints] = [
  ['lookup', 'claim', 'seal', 'result'],
  ['lookup', 'claim', 'work', 'save', 'seal', 'result'],
] as const;

/** The nodes of the plan, in the order in which they can come to be done. Short stages keep no checkpoint. */
export const microStages: readonly StageLife[] = [
  { id: 'import', hosts: ['import child', 'io worker'], moments: withCheckpoints },
  { id: 'teacher', hosts: ['io worker'], moments: briefly },
  { id: 'student', hosts: ['io worker'], moments: briefly },
  { id: 'fine-tune', hosts: ['trainer child', 'gpu worker'], moments: withCheckpoints },
  { id: 'distill', hosts: ['trainer child', 'gpu worker'], moments: withCheckpoints },
];

export interface MicroModels {
  readonly teacher: string;
  readonly student: string;
}

/** Config and tokenizer are a fixture's, with other sizes; the weights are random. URLs of the directories. */
export async function writeMicroModels(directory: string): Promise<MicroModels> {
  const fixture = join(packageRoot(), 'test', 'fixtures', 'models', 'qwen3-qknorm');
  const config = await readModelConfig(join(fixture, 'config.json'));
  await mkdir(directory, { recursive: true });
  const write = async (name: string, seed: number, sizes: Partial<typeof config>): Promise<string> => {
    const path = join(directory, name);
    const sized = { ...config, ...sizes };
    const values = (tensor: string) => initialWeight(sized, tensor, { seed, standardDeviation: 0.05 });
    await writeModelDirectory(path, { config: sized, values, tokenizerFrom: fixture });
    return pathToFileURL(path).href;
  };
  return {
    teacher: await write('teacher', 1, { layers: 3, hiddenSize: 48 }),
    student: await write('student', 2, {}),
  };
}

/** A missed worker is missed soon, and the next attempt comes at once. */
export const patience = {
  timeouts: { heartbeatMs: 2000 },
  retry: { initialIntervalMs: 200, maximumIntervalMs: 1000 },
};

const training = { rowTokens: 64, rows: 8, learningRate: 1e-3 };

const datasetBytes = 320 * 1024;

/** With a dataset that can be read slowly. */
export async function prepareMicroPlan({ s3, source, files }: StormPlace): Promise<Pipeline> {
  await putObject(s3.url('datasets'), 'rows.jsonl', jsonLines(datasetBytes));
  const models = await writeMicroModels(files.directory);
  const dataset = s3.url('datasets/rows.jsonl', source.endpoint);
  return { stages: microStages, plan: (request) => microPlan({ dataset, ...models, ...request }) };
}

export interface MicroPlanRequest extends MicroModels, PlanRequest {
  readonly dataset: string;
}

/** The models wait for the dataset, and for each other, so that no stage passes its moment while another is disturbed. */
export const microPlan = ({ store, dataset, teacher, student, threads = 1 }: MicroPlanRequest): Json => ({
  name: 'micro',
  store,
  dataset,
  loseAtMost: '100ms',
  numerics: { threads },
  stages: [
    { id: 'import', uses: 'import', with: { shardBytes: 64 * 1024 }, ...patience },
    { id: 'teacher', uses: 'import-model', needs: ['import'], with: { model: teacher }, ...patience },
    { id: 'student', uses: 'import-model', needs: ['teacher'], with: { model: student }, ...patience },
    {
      id: 'fine-tune',
      uses: 'fine-tune',
      needs: ['import', 'student'],
      inputs: { dataset: 'import.dataset', model: 'student.model' },
      with: { ...training, steps: 100 },
      ...patience,
    },
    {
      id: 'distill',
      uses: 'distill',
      needs: ['import', 'teacher', 'fine-tune'],
      inputs: { dataset: 'import.dataset', model: 'fine-tune.model', teacher: 'teacher.model' },
      with: { ...training, steps: 80, seed: 1 },
      ...patience,
    },
  ],
});
