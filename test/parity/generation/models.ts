/** Generators of the reference models on the runners that are compared. */
import { createGenerator, type Generator, type GeneratorOptions } from '../../../engine/generation/generator.js';
import type { GenerationEvent } from '../../../engine/generation/request.js';
import type { Runner } from '../../../engine/runners/runner.js';
import type { Numbers } from '../../../engine/tracing/program.js';
import { loadModelFixture, type ModelFixture, type ModelName } from '../models/model-fixtures.js';

export interface LoadedModel {
  readonly fixture: ModelFixture;
  readonly weights: (name: string) => Numbers;
}

export async function loadModel(name: ModelName): Promise<LoadedModel> {
  const fixture = await loadModelFixture(name);
  return { fixture, weights: (tensor) => fixture.weights[tensor]?.values ?? new Float32Array() };
}

export const generatorOf = (
  runner: Runner,
  { fixture, weights }: LoadedModel,
  options: Partial<GeneratorOptions> = {},
): Promise<Generator> =>
  createGenerator({
    runner,
    config: fixture.config,
    weights,
    slots: 3,
    capacity: 48,
    promptLengths: [8, 16, 32],
    endOfSequence: [],
    ...options,
  });

export interface Generated {
  readonly ids: readonly number[];
  readonly logProbabilities: readonly (number | undefined)[];
  readonly text: string;
  readonly reason: string | undefined;
}

export async function collect(events: AsyncIterable<GenerationEvent>): Promise<Generated> {
  const all: GenerationEvent[] = [];
  for await (const event of events) all.push(event);
  const tokens = all.flatMap((event) => (event.kind === 'token' ? [event] : []));
  const last = all.at(-1);
  return {
    ids: tokens.map(({ id }) => id),
    logProbabilities: tokens.map(({ logProbability }) => logProbability),
    text: all.map(({ text }) => text).join(''),
    reason: last?.kind === 'end' ? last.reason : undefined,
  };
}
