/**
 * Where the steps of a run come from, and the usual place: the stream of batches of `engine/data`. A step is whole before its
 * first micro-batch is used, knows how much of it is done already, and names the cursor from which a new process goes on.
 */
import { trainingSteps, type StreamSettings } from '../data/batches.js';
import type { Batch } from '../data/packing.js';
import type { SampleSource } from '../data/samples.js';
import type { NamedNumbers } from '../runners/runner.js';
import type { Random } from './random.js';

/** The inputs of one micro-batch; N = rows · tokens of the trainer's shape. */
export interface MicroBatch {
  /** int32 [N], each below the vocabulary size; so are the labels. */
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly segments: Int32Array;
  /** int32 [N], the token that follows. */
  readonly labels: Int32Array;
  /** float32 [N], how much the prediction of that token counts; 0 for prompt and padding. */
  readonly weights: Float32Array;
  /** Tokens that are not padding. */
  readonly tokens: number;
  /** What the objective asked for beside these. */
  readonly extra?: NamedNumbers;
}

export interface TrainingStep {
  /** All of the step, also those that are done; at most as many as the trainer's shape says. */
  readonly microBatches: readonly MicroBatch[];
  /** How many of them are done already. */
  readonly firstMicroBatch: number;
  /** Sum of the weights of all micro-batches. */
  readonly trainedTokens: number;
  /** Where to go on when this many micro-batches are done; JSON. All of them: with the next step. */
  readonly cursorAfter: (doneMicroBatches: number) => unknown;
}

export interface StepSource {
  /** Token ids are below it. */
  readonly vocabularySize: number;
  /**
   * The steps from a cursor on, to the end of the data. Nothing is drawn or read for a step before it is asked for.
   * @param cursor null for the beginning
   * @param random at the position where it was when the step of the cursor was first built, so that it is drawn alike again
   */
  readonly steps: (cursor: unknown, random: Random) => AsyncIterable<TrainingStep>;
}

export interface SampleStepSettings extends StreamSettings {
  /** Token ids are below it. */
  readonly vocabularySize: number;
  /** What the objective asks for, row n about the token at place n of the batch, such as a teacher's distributions. */
  readonly extra?: (batch: Batch, random: Random) => NamedNumbers | Promise<NamedNumbers>;
}

/** The steps of samples, shuffled and packed. Reading them throws what `trainingSteps` throws. */
export const sampleSteps = (
  samples: SampleSource,
  { vocabularySize, extra, ...settings }: SampleStepSettings,
): StepSource => ({
  vocabularySize,
  async *steps(cursor, random) {
    for await (const { microBatches, ...step } of trainingSteps(samples, settings, cursor ?? undefined)) {
      const filled: MicroBatch[] = [];
      for (const batch of microBatches)
        filled.push(extra === undefined ? batch : { ...batch, extra: await extra(batch, random) });
      yield { ...step, microBatches: filled };
    }
  },
});
