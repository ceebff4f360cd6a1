/**
 * What a plan file says, as types alone, for applications that write one in TypeScript. The file is checked where a run is
 * resolved, by `plan-schema.ts`. Pure.
 */
import type { JsonObject } from './json.js';

export interface PlanFileInput {
  /** Of the plan, the same night after night: 1 to 63 characters of a-z 0-9 . _ - */
  readonly name: string;
  /** URL of the object store: `file:///directory` or `s3://bucket/prefix`. Without credentials. */
  readonly store: string;
  /** A model directory. */
  readonly teacher?: string;
  /** A model directory, or which layers of the teacher to begin with. */
  readonly student?: string | { readonly layers: readonly number[] | { readonly every: number } };
  /** A JSONL file or object. */
  readonly dataset?: string;
  /** Conversations that are never trained on. */
  readonly evaluation?: string;
  readonly numerics?: NumericsInput;
  readonly onFailure?: 'fail-fast' | 'finish-others';
  /** Work that a crash may cost: `5m`. */
  readonly loseAtMost?: string | number;
  readonly onDifferentMachine?: 'continue' | 'wait';
  /** Default: the standard plan, from dataset to distilled student. */
  readonly stages?: readonly StageOfFileInput[];
}

export interface StageOfFileInput {
  readonly id: string;
  /** The stage kind. */
  readonly uses: string;
  /** Ids of the stages that must be done first. */
  readonly needs?: readonly string[];
  /** Where an input comes from, `stage.output`, when the needs do not say it without doubt. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Options of the stage kind. */
  readonly with?: JsonObject;
  readonly timeouts?: { readonly startToCloseMs?: number; readonly heartbeatMs?: number };
  readonly retry?: {
    readonly initialIntervalMs?: number;
    readonly backoffCoefficient?: number;
    readonly maximumIntervalMs?: number;
  };
}

export interface NumericsInput {
  readonly runner?: 'tensorflow' | 'wasm';
  /** A release of TensorFlow: `2.21.0`. */
  readonly tensorflow?: string;
  readonly xla?: boolean;
  readonly precision?: 'float32' | 'bfloat16';
  readonly threads?: number;
}
