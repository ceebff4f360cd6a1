/** What the programs of the engine's bench are asked (one JSON argument) and what they answer (one JSON line), ours and peers alike. */
import { readFileSync, writeFileSync } from 'node:fs';
import { median } from './report.js';

interface Work {
  /** A Hugging Face directory. */
  readonly model: string;
  /** A file of int32 ids. */
  readonly ids: string;
  readonly threads: number;
}

export interface TrainTask extends Work {
  readonly work: 'train';
  readonly batch: number;
  readonly length: number;
  readonly steps: number;
  /** Steps at the beginning that count for the losses, not for the times. */
  readonly warmupSteps: number;
  readonly bfloat16: boolean;
  readonly optimizer: {
    readonly learningRate: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    /** Of every weight. */
    readonly weightDecay: number;
  };
}

export interface GenerateTask extends Work {
  readonly work: 'generate';
  readonly batch: number;
  readonly length: number;
  readonly newTokens: number;
  readonly rounds: number;
}

export interface ScoreTask extends Work {
  readonly work: 'score';
  readonly lengths: readonly number[];
  readonly topK: number;
  readonly rounds: number;
}

/** Scoring whose answers are written into a store of logits. */
export interface CaptureTask extends Omit<ScoreTask, 'work'> {
  readonly work: 'capture';
}

export type Task = TrainTask | GenerateTask | ScoreTask | CaptureTask;

/** How the engine is to do its task. */
export interface EngineOptions {
  readonly backend: 'tensorflow' | 'wasm';
  readonly xla: boolean;
  /** Of tfjs-node with its addon, as set-up leaves it; absent without the native part. */
  readonly packageDirectory?: string;
  readonly cacheDirectory: string;
}

export interface Measurement {
  /** Of the first step or call, with what is prepared in it. */
  readonly firstMs: number;
  readonly bestMs: number;
  readonly medianMs: number;
  /** Resident when the library was loaded and nothing done. */
  readonly idleBytes: number;
  /** The highest resident size from the first step or call on. */
  readonly peakBytes: number;
  /** From the model's function to a program that can be called; ours alone. */
  readonly compileMs?: number;
  readonly losses?: readonly number[];
  readonly tokens?: readonly (readonly number[])[];
  readonly sums?: readonly number[];
  /** What a store of logits takes for each token, everything included. */
  readonly bytesPerToken?: number;
}

/** VmRSS (now) or VmHWM (highest since the last reset) of this process; Linux alone tells. */
export function memoryBytes(field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  if (found === null) throw new Error(`/proc/self/status has no ${field}`);
  return Number(found[1]) * 1024;
}

export const resetPeak = (): void => writeFileSync('/proc/self/clear_refs', '5');

/** @throws Error where a loss is no number: JSON would not say so */
export function answer(measurement: Measurement): void {
  const wrong = measurement.losses?.findIndex((loss) => !Number.isFinite(loss)) ?? -1;
  if (wrong !== -1) throw new Error(`the loss of step ${wrong + 1} is ${measurement.losses?.[wrong]}`);
  process.stdout.write(`${JSON.stringify(measurement)}\n`, () => process.exit());
}

type Times = Pick<Measurement, 'firstMs' | 'bestMs' | 'medianMs' | 'peakBytes'>;

/** A first call and as many rounds after it. */
export async function timedCalls(rounds: number, call: () => Promise<void>): Promise<Times> {
  resetPeak();
  const timesMs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const begun = performance.now();
    await call();
    timesMs.push(performance.now() - begun);
  }
  const [firstMs = Number.NaN, ...timed] = timesMs;
  return { firstMs, bestMs: Math.min(...timed), medianMs: median(timed), peakBytes: memoryBytes('VmHWM') };
}
