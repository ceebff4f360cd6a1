/**
 * Everything a training run is, at one moment between two micro-batches: tensors by name and a JSON value. Restored under an
 * equal fingerprint in any process, the run goes on bit for bit as if it had never stopped.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import type { NamedNumbers, NumbersSource } from '../runners/runner.js';
import type { TensorSpecs } from '../tracing/trace.js';
import type { RandomState } from './random.js';

/** What the numbers of a run depend on beside its inputs. Two runs of equal fingerprint compute the same bits. */
export type Fingerprint = Readonly<Record<string, string | number | boolean>>;

export interface StateProgress {
  /** Of this layout. */
  readonly version: 1;
  /** Updates made. */
  readonly step: number;
  /** Micro-batches of the step under way whose gradients are held. */
  readonly microBatch: number;
  /** What these add to the loss of the step and to its parts, by name. */
  readonly held: Readonly<Record<string, number>>;
  /** Of the random numbers, when the step under way began. */
  readonly rng: RandomState;
  /** Of the data: the next micro-batch. Null at the beginning. */
  readonly cursor: unknown;
  readonly fingerprint: Fingerprint;
}

export interface TrainingState {
  readonly progress: StateProgress;
  /** Weights by their own names, moments and, within a step, held gradients under prefixes. */
  readonly specs: TensorSpecs;
  readonly read: NumbersSource;
}

/** A state in memory; it stays as it is while the run goes on. */
export interface CapturedState extends TrainingState {
  readonly tensors: NamedNumbers;
}

const count = z.int().nonnegative();
const progressSchema = z.looseObject({
  version: z.literal(1),
  step: count,
  microBatch: count,
  held: z.record(z.string(), z.number()),
  rng: z.object({ seed: count, stream: z.string(), position: count }),
  cursor: z.unknown(),
  fingerprint: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

/** The progress in JSON that was stored. @throws training-state-invalid */
export function parseProgress(json: unknown): StateProgress {
  const parsed = progressSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new NightstillError(
    'training-state-invalid',
    `expected the progress of a training run, found: ${z.prettifyError(parsed.error)}`,
  );
}

export interface Resume {
  /** Of the machine that came this far, and of the one that goes on. */
  readonly before: Fingerprint;
  readonly now: Fingerprint;
  readonly onDifferentMachine: 'continue' | 'wait';
  /** Step, row or item until which the other machine came. */
  readonly at: number;
  /** What it did until there, in words: `trained until step 12`. */
  readonly did: string;
  /** The places before this one. */
  readonly resumedInexactlyAt: readonly number[];
}

/**
 * All places at which attempts went on with other bits; a machine that computes the same adds none.
 * @throws machine-differs where another machine is to be waited for
 */
export function inexactResumes({ before, now, onDifferentMachine, at, did, resumedInexactlyAt }: Resume): number[] {
  const found = differences(before, now);
  if (found.length === 0) return [...resumedInexactlyAt];
  if (onDifferentMachine === 'continue') return [...resumedInexactlyAt, at];
  throw new NightstillError(
    'machine-differs',
    `expected a machine that computes the bits of the one that ${did}, found ${found.join('; ')}`,
  );
}

/**
 * Does a machine of this fingerprint come to the same bits twice? On a GPU sums by atomic operations depend on timing, unless
 * TensorFlow is told to do without them.
 */
export const repeatsItsBits = ({ gpu, TF_DETERMINISTIC_OPS: flag }: Fingerprint): boolean =>
  gpu !== true || /^(1|true)$/i.test(String(flag));

/** Names that fingerprints did not always have: where the state of before lacks one, nobody knows that anything differs. */
const recordedLater: readonly string[] = ['build', 'v8', 'architecture', 'simd'];

/** What differs of a machine from the one of before, as `name: before → now`; empty when a resume is exact. */
export function differences(before: Fingerprint, now: Fingerprint): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names
    .filter((name) => before[name] !== now[name] && (name in before || !recordedLater.includes(name)))
    .map((name) => `${name}: ${String(before[name])} → ${String(now[name])}`);
}
