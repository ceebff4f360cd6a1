/** A tiny model and a tiny dataset: a whole training run takes milliseconds. */
import type { ModelConfig } from '../../engine/files/model-config.js';
import type { Sample, SampleSource } from '../../engine/data/samples.js';
import { initialWeight } from '../../engine/models/initialise.js';
import { kernelsRunner } from '../../engine/runners/kernels.js';
import type { NamedNumbers, NumbersSource } from '../../engine/runners/runner.js';
import { labelsObjective, topKObjective } from '../../engine/training/objective.js';
import { createRandom, type Random } from '../../engine/training/random.js';
import { sampleSteps, type SampleStepSettings } from '../../engine/training/step-source.js';
import { Trainer, type TrainerOptions } from '../../engine/training/trainer.js';
import type { TrainingEvent } from '../../engine/training/training-events.js';
import { configurations } from './configurations.js';

export const tinyConfig: ModelConfig = configurations.qwen3;

/** Sentences of a small grammar: each token is the one before it plus a stride, which the first token tells. */
export function tinySamples(count = 20): SampleSource {
  const random = createRandom(11, 'tiny samples');
  const samples = Array.from({ length: count }, (_, number): Sample => {
    const stride = random.integer(4);
    const ids = Int32Array.from({ length: 5 + random.integer(8) }, (__, token) => (stride + token * (stride + 1)) % 31);
    return { id: `sample ${number}`, ids, trained: [{ start: 2, end: ids.length }] };
  });
  const at = (number: number): Sample => {
    const sample = samples[number];
    if (sample === undefined) throw new RangeError(`no sample ${number}`);
    return sample;
  };
  return {
    digest: `tiny ${count}`,
    samples: count,
    longest: 12,
    lengthOf: (number) => at(number).ids.length,
    read: (number) => Promise.resolve(at(number)),
  };
}

export const tinyStream: SampleStepSettings = {
  vocabularySize: 32,
  seed: 5,
  epochs: 50,
  rows: 2,
  columns: 16,
  microBatches: 2,
};

const tinyWeights: NumbersSource = (name) => initialWeight(tinyConfig, name, { seed: 3, standardDeviation: 0.1 });

export const tinyOptions = (changes: Partial<TrainerOptions> = {}): TrainerOptions => ({
  runner: kernelsRunner({ backend: 'wasm' }),
  config: tinyConfig,
  shape: { rows: 2, tokens: 16, microBatches: 2 },
  objective: labelsObjective(),
  optimizer: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: { value: 0.1 }, maximumGradientNorm: 1 },
  schedule: { kind: 'cosine', peak: 1e-2, totalSteps: 60, warmUp: { steps: 4 } },
  source: sampleSteps(tinySamples(), tinyStream),
  ...changes,
});

/** Targets that are drawn while a step is built: three tokens, and how likely they are. */
export const drawnTargets = (
  changes: Partial<SampleStepSettings> = {},
): Pick<TrainerOptions, 'objective' | 'source'> => ({
  objective: topKObjective(
    { divergence: { kind: 'forward-kl' }, temperature: 1, timesTemperatureSquared: true, crossEntropyShare: 0.5 },
    3,
  ),
  source: sampleSteps(tinySamples(), {
    ...tinyStream,
    ...changes,
    extra: ({ ids }, random) => drawTargets(ids.length, random),
  }),
});

export function drawTargets(tokens: number, random: Random): NamedNumbers {
  const teacherIds = new Int32Array(tokens * 3);
  const teacherLogProbabilities = new Float32Array(tokens * 3);
  const teacherMissingMass = new Float32Array(tokens);
  for (let token = 0; token < tokens; token++) {
    const first = random.integer(30);
    const shares = [1, 2, 3].map(() => random.uint32() / 2 ** 32 + 0.1);
    const whole = shares.reduce((sum, share) => sum + share, random.uint32() / 2 ** 32 + 0.1);
    teacherIds.set([first, first + 1, first + 2], token * 3);
    teacherLogProbabilities.set(
      shares.map((share) => Math.log(share / whole)),
      token * 3,
    );
    teacherMissingMass[token] = 1 - shares.reduce((sum, share) => sum + share / whole, 0);
  }
  return { teacherIds, teacherLogProbabilities, teacherMissingMass };
}

/** A run whose weights are random but always the same. */
export async function tinyTrainer(changes: Partial<TrainerOptions> = {}): Promise<Trainer> {
  const trainer = await Trainer.create(tinyOptions(changes));
  await trainer.load(tinyWeights);
  return trainer;
}

export async function eventsOf(trainer: Trainer, untilStep: number): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of trainer.run(untilStep)) events.push(event);
  return events;
}
