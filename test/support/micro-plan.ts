/**
 * The whole pipeline in small: tiny models with random weights, a dataset of questions, and a plan whose undisturbed run takes
 * seconds, with a checkpoint every second or so. Everything depends on seeds alone: two runs come to the same digests.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readModelConfig } from '../../engine/files/model-config.js';
import { writeModelDirectory } from '../../engine/files/model-directory.js';
import { initialWeight } from '../../engine/models/initialise.js';
import type { Json } from '../../storage/index.js';
import { packageRoot } from '../../tools/package-root.js';

/** The nodes of the plan, in the order in which they can come to be done. */
export const microStages = ['import', 'teacher', 'student', 'fine-tune', 'distill'] as const;
export type MicroStage = (typeof microStages)[number];

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
const patience = {
  timeouts: { heartbeatMs: 2000 },
  retry: { initialIntervalMs: 200, maximumIntervalMs: 1000 },
};

const training = { rowTokens: 64, rows: 8, learningRate: 1e-3 };

export interface MicroPlanRequest extends MicroModels {
  readonly store: string;
  readonly dataset: string;
  /** Of a training. Default: one, so that two fit on two cores, also when one of them is stopped. */
  readonly threads?: number;
}

/** The models wait for the dataset, and for each other, so that no stage passes its moment while another is disturbed. */
export const microPlan = ({ store, dataset, teacher, student, threads = 1 }: MicroPlanRequest): Json => ({
  name: 'micro',
  store,
  dataset,
  loseAtMost: '500ms',
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
