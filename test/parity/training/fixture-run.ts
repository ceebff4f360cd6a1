/** The trainer on a model of the fixtures and its rows, set up as torch was. */
import { join } from 'node:path';
import type { Sample, SampleSource } from '../../../engine/data/samples.js';
import { openModelDirectory } from '../../../engine/files/model-directory.js';
import { labelsObjective } from '../../../engine/training/objective.js';
import { sampleSteps } from '../../../engine/training/step-source.js';
import type { Trainer, TrainerOptions } from '../../../engine/training/trainer.js';
import type { StepEvent } from '../../../engine/training/training-events.js';
import { modelFixtures, readInt32Npy } from '../../support/npy.js';
import { eventsOf } from '../../support/tiny-run.js';

/** As in test/fixtures/models/make_training_fixtures.py. */
export const asTorch = {
  optimizer: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: { value: 0, rules: [{ names: '*', value: 0.1 }] } },
  schedule: { kind: 'constant', peak: 1e-3, totalSteps: 10 },
} as const;
export const inMemory = (samples: readonly Sample[]): SampleSource => {
  const at = (number: number): Sample => samples[number] ?? { id: '', ids: new Int32Array(), trained: [] };
  return {
    digest: 'in memory',
    samples: samples.length,
    longest: Math.max(...samples.map(({ ids }) => ids.length)),
    lengthOf: (number) => at(number).ids.length,
    read: (number) => Promise.resolve(at(number)),
  };
};

/** Every token of the rows of a fixture is learned, in each of three epochs. */
export async function fixtureRun(model: string, changes: Partial<TrainerOptions>) {
  const path = join(modelFixtures, model);
  const directory = await openModelDirectory(path);
  const { shape, values } = readInt32Npy(join(path, 'input_ids.npy'));
  const [rows = 0, tokens = 0] = shape;
  const samples = Array.from({ length: rows }, (_, row): Sample => ({
    id: `row ${row}`,
    ids: values.slice(row * tokens, (row + 1) * tokens),
    trained: [{ start: 0, end: tokens }],
  }));
  const { vocabularySize } = directory.config;
  const stream = { vocabularySize, seed: 1, epochs: 3, rows, columns: tokens, microBatches: 1 };
  return {
    path,
    directory,
    options: {
      config: directory.config,
      shape: { rows, tokens, microBatches: 1 },
      objective: labelsObjective(),
      source: sampleSteps(inMemory(samples), stream),
      ...asTorch,
      ...changes,
    },
  };
}

export const stepsOf = async (trainer: Trainer, untilStep: number): Promise<StepEvent[]> =>
  (await eventsOf(trainer, untilStep)).flatMap((event) => (event.kind === 'step' ? [event] : []));
