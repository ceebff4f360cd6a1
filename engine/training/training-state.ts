/**
 * Everything a training run is, at one moment between two micro-batches: tensors by name and a JSON value. Restored under an
 * equal fingerprint in any process, the run goes on bit for bit as if it had never stopped.
 */
import type { Numbers } from '../tracing/program.js';

/** What the numbers of a run depend on beside its inputs. Two runs of equal fingerprint compute the same bits. */
export type Fingerprint = Readonly<Record<string, string | number | boolean>>;

export interface TrainingProgress {
  /** Of this layout. */
  readonly version: 1;
  /** Updates made. */
  readonly step: number;
  /** Micro-batches of the step under way that are held already. */
  readonly microBatch: number;
  /** Sum of their losses. */
  readonly heldLoss: number;
  /** Where the data stood when the step under way began. */
  readonly cursor: unknown;
  readonly fingerprint: Fingerprint;
}

export interface TrainingState {
  readonly progress: TrainingProgress;
  /** Weights by their own names, moments and held gradients under prefixes. */
  readonly tensors: Readonly<Record<string, Numbers>>;
}

/** What differs between two fingerprints, as `name: one → other`; empty when a resume is exact. */
export function differences(one: Fingerprint, other: Fingerprint): string[] {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
  return names
    .filter((name) => one[name] !== other[name])
    .map((name) => `${name}: ${String(one[name])} → ${String(other[name])}`);
}
