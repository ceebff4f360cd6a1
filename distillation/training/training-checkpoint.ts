/**
 * A training as a checkpoint of its stage, and back: tensors as named byte arrays, everything else as JSON. The number of a
 * checkpoint counts micro-batches, so that a state within a step has one of its own.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { parseProgress, type CapturedState, type StateProgress, type TrainingState } from '../../engine/index.js';
import type { Json, NamedArrays, NewCheckpoint, RestoredCheckpoint } from '../../storage/index.js';
import { Metrics } from './metrics.js';

export interface TrainingCheckpoint {
  readonly metrics: Metrics;
  /** Steps after which the training went on on a machine that computes other bits. */
  readonly resumedInexactlyAt: readonly number[];
}

const stateSchema = z.looseObject({
  version: z.literal(1),
  progress: z.unknown(),
  shapes: z.record(z.string(), z.array(z.int().nonnegative())),
  resumedInexactlyAt: z.array(z.int().nonnegative()),
});

const tensorPrefix = 'tensor/';
const metricsName = 'metrics';

/** Micro-batches done since the beginning of the training. */
export const checkpointNumber = ({ step, microBatch }: StateProgress, microBatches: number): number =>
  step * microBatches + microBatch;

export function encodeCheckpoint(
  { progress, specs, tensors }: CapturedState,
  { metrics, resumedInexactlyAt }: TrainingCheckpoint,
  microBatches: number,
): NewCheckpoint {
  const arrays = new Map<string, Uint8Array>([[metricsName, metrics.encode()]]);
  for (const [name, { buffer, byteOffset, byteLength }] of Object.entries(tensors))
    arrays.set(`${tensorPrefix}${name}`, new Uint8Array(buffer, byteOffset, byteLength));
  const shapes = Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, [...shape]]));
  return {
    step: checkpointNumber(progress, microBatches),
    // `StateProgress` promises to be JSON; its type cannot say so.
    state: { version: 1, progress: progress as unknown as Json, shapes, resumedInexactlyAt: [...resumedInexactlyAt] },
    arrays,
  };
}

/** @throws training-state-invalid, record-invalid when it is no checkpoint of a training */
export function decodeCheckpoint({ state, arrays }: RestoredCheckpoint): TrainingCheckpoint & {
  readonly training: TrainingState;
} {
  const parsed = stateSchema.safeParse(state);
  if (!parsed.success)
    throw new NightstillError(
      'record-invalid',
      `expected the checkpoint of a training, found another state: ${z.prettifyError(parsed.error)}`,
    );
  const { progress, shapes, resumedInexactlyAt } = parsed.data;
  const specs = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { shape, dtype: 'float32' } as const]),
  );
  return {
    metrics: Metrics.decode(arrayOf(arrays, metricsName)),
    resumedInexactlyAt,
    training: {
      progress: parseProgress(progress),
      specs,
      read: (name) => float32Of(arrayOf(arrays, `${tensorPrefix}${name}`)),
    },
  };
}

function arrayOf(arrays: NamedArrays, name: string): Uint8Array {
  const array = arrays.get(name);
  if (array !== undefined) return array;
  throw new NightstillError('record-invalid', `expected an array ${name} in the checkpoint, found none`);
}

const float32Of = ({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array =>
  byteOffset % 4 === 0
    ? new Float32Array(buffer, byteOffset, byteLength / 4)
    : new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
