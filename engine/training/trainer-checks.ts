/** What a trainer refuses: steps of another shape, states of another run, losses that are no numbers. */
import { NightstillError } from '../../config/errors.js';
import type { Numbers } from '../tracing/program.js';
import type { TrainingStep } from './trainer.js';
import type { TrainingShape } from './training-programs.js';
import type { TrainingProgress, TrainingState } from './training-state.js';

/** @throws training-setting-invalid */
export function checkStep({ microBatches, trainedTokens }: TrainingStep, shape: TrainingShape, step: number): void {
  if (microBatches.length !== shape.microBatches)
    throw new NightstillError(
      'training-setting-invalid',
      `expected ${shape.microBatches} micro-batches in step ${step + 1}, found ${microBatches.length}`,
    );
  if (!(trainedTokens > 0))
    throw new NightstillError(
      'training-setting-invalid',
      `expected at least one token to be learned in step ${step + 1}, found that every weight is 0`,
    );
}

/** @throws training-state-invalid */
export function checkState(
  progress: TrainingProgress,
  tensors: TrainingState['tensors'],
  names: readonly string[],
): void {
  const refuse = (expected: string, found: string) =>
    new NightstillError('training-state-invalid', `expected a training state ${expected}, found ${found}`);
  const version: number = progress.version;
  if (version !== 1) throw refuse('of version 1', `version ${version}`);
  const missing = names.filter((name) => !(name in tensors));
  if (missing.length > 0)
    throw refuse(
      `with ${names.length} tensors`,
      `that ${missing[0] ?? ''} and ${missing.length - 1} others are missing`,
    );
  const unknown = Object.keys(tensors).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw refuse('of this model', `the tensor ${unknown[0] ?? ''}, which it does not have`);
}

export const diverged = (step: number, loss: number, gradientNorm: number): NightstillError =>
  new NightstillError(
    'training-diverged',
    `expected finite numbers, found a loss of ${loss} and a gradient norm of ${gradientNorm} in step ${step}; nothing was updated`,
    { details: { step, loss: String(loss), gradientNorm: String(gradientNorm) } },
  );

/** The number of a scalar output. */
export const numberOf = (numbers: Numbers | undefined): number => numbers?.[0] ?? Number.NaN;
