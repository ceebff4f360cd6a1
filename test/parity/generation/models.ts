/** Generators of the reference models on the runners that are compared. */
import { expectedTensors } from '../../../engine/files/model-tensors.js';
import { createGenerator, type Generator, type GeneratorOptions } from '../../../engine/generation/generator.js';
import type { GenerationEvent } from '../../../engine/generation/request.js';
import type { Runner } from '../../../engine/runners/runner.js';
import type { Numbers } from '../../../engine/tracing/program.js';
import { loadModelFixture, type ModelFixture, type modelNames } from '../models/model-fixtures.js';

export type ModelName = (typeof modelNames)[number];

export interface LoadedModel {
  readonly fixture: ModelFixture;
  readonly weights: (name: string) => Numbers;
}

/** @param change of a weight on its way into the model */
export async function loadModel(
  name: ModelName,
  change: (name: string, values: Float32Array) => Float32Array = (_, values) => values,
): Promise<LoadedModel> {
  const fixture = await loadModelFixture(name);
  const changed = new Map(
    [...expectedTensors(fixture.config).keys()].map((tensor) => [
      tensor,
      change(tensor, Float32Array.from(fixture.weights[tensor]?.values ?? [])),
    ]),
  );
  return { fixture, weights: (tensor) => changed.get(tensor) ?? new Float32Array() };
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
