/**
 * A training run: takes steps from a source of batches, runs the programs, and says what happened as an async iterable. It
 * prints nothing, writes nothing and knows no clock but for rates. Between any two events it can be captured, and a captured
 * state restored, bit for bit.
 */
import { compile, type Session } from '../compile.js';
import type { ModelConfig } from '../files/model-config.js';
import { trainingFlopsPerToken } from '../models/parameters.js';
import type { NamedNumbers, Runner } from '../runners/runner.js';
import type { TensorSpecs } from '../tracing/trace.js';
import { biasCorrections, type AdamWSettings } from './adamw.js';
import type { Objective } from './objective.js';
import { learningRateAt, type Schedule } from './schedule.js';
import { trainingPrograms, trainingState, type TrainingShape } from './training-programs.js';
import { checkState, checkStep, diverged, numberOf } from './trainer-checks.js';
import { differences, type Fingerprint, type TrainingProgress, type TrainingState } from './training-state.js';

/** The inputs of one micro-batch; N = rows · tokens of the trainer's shape. */
export interface MicroBatch {
  /** int32 [rows, tokens]. */
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
  readonly microBatches: readonly MicroBatch[];
  /** Sum of the weights of all micro-batches. */
  readonly trainedTokens: number;
}

/** Where steps come from. The cursor is plain JSON and names the step that `next` would give. */
export interface StepSource {
  cursor(): unknown;
  seek(cursor: unknown): Promise<void>;
  /** Undefined when the data has ended. */
  next(): Promise<TrainingStep | undefined>;
}

export interface TrainerOptions {
  readonly runner: Runner;
  readonly config: ModelConfig;
  /** Shapes of the weights by name: those of the configuration. */
  readonly weights: TensorSpecs;
  readonly shape: TrainingShape;
  readonly objective: Objective;
  readonly optimizer: AdamWSettings;
  readonly schedule: Schedule;
  readonly source: StepSource;
  /** Default 1: all logits of a micro-batch at once. */
  readonly vocabularyChunks?: number;
  /** Default false. */
  readonly recompute?: boolean;
  /** Default true: as one XLA computation where the runner knows XLA. */
  readonly xla?: boolean;
  /** Default float32. */
  readonly precision?: 'float32' | 'bfloat16';
  /** FLOP/s that the device reaches at best; without it no share of the peak is reported. */
  readonly peakFlops?: number;
}

export type TrainingEvent = MicroBatchEvent | StepEvent;

/** A micro-batch that is not the last of its step was added to the held gradients. */
export interface MicroBatchEvent {
  readonly kind: 'micro-batch';
  readonly step: number;
  readonly microBatch: number;
}

export interface StepEvent {
  readonly kind: 'step';
  /** Updates made, this one included. */
  readonly step: number;
  /** Mean over the trained tokens of the step. */
  readonly loss: number;
  /** The summands of the loss, where it has several. */
  readonly parts: Readonly<Record<string, number>>;
  /** Before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Padding excluded. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** Of `peakFlops`, 0 … 1; padding excluded. */
  readonly shareOfPeak?: number;
  /** Resident memory of this process. */
  readonly residentBytes: number;
}

export class Trainer {
  readonly #session: Session<string>;
  readonly #options: TrainerOptions;
  readonly #names: readonly string[];
  readonly fingerprint: Fingerprint;
  #progress: Pick<TrainingProgress, 'step' | 'microBatch' | 'heldLoss'> = { step: 0, microBatch: 0, heldLoss: 0 };
  /** The cursor from before the step under way. */
  #cursor: unknown;

  private constructor(options: TrainerOptions, session: Session<string>, names: readonly string[]) {
    this.#options = options;
    this.#session = session;
    this.#names = names;
    this.#cursor = options.source.cursor();
    this.fingerprint = fingerprintOf(options);
  }

  /** Compiles the programs. Weights are zeros until `write` or `restore`. @throws training-setting-invalid and those of compile() */
  static async create(options: TrainerOptions): Promise<Trainer> {
    const settings = {
      ...options,
      vocabularyChunks: options.vocabularyChunks ?? 1,
      recompute: options.recompute ?? false,
      xla: options.xla ?? true,
      precision: options.precision ?? 'float32',
    };
    const state = trainingState(settings);
    const programs = trainingPrograms(settings);
    const session = await compile<string>({ runner: options.runner, state, programs });
    const names = Object.keys(state).filter((name) => !(name in options.objective.frozen));
    return new Trainer(options, session, names);
  }

  /** Sets weights or frozen tensors by name. */
  write(values: NamedNumbers): void {
    this.#session.write(values);
  }

  /** Reads weights by name. */
  read(names: readonly string[]): NamedNumbers {
    return this.#session.read(names);
  }

  /** Updates made so far. */
  get step(): number {
    return this.#progress.step;
  }

  /** Names of the tensors of a state: weights, moments and held gradients. */
  get stateNames(): readonly string[] {
    return this.#names;
  }

  /** The state between two events; the arrays belong to the caller. */
  capture(): TrainingState {
    return { progress: this.progress(), tensors: this.#session.read(this.#names) };
  }

  /** The state without its tensors. */
  progress(): TrainingProgress {
    return { version: 1, ...this.#progress, cursor: this.#cursor, fingerprint: this.fingerprint };
  }

  /**
   * Goes on from a captured state.
   * @returns what differs between the fingerprints; when empty, the run is bit for bit the one that was captured.
   * @throws training-state-invalid when the state is not one of this run
   */
  async restore({ progress, tensors }: TrainingState): Promise<readonly string[]> {
    checkState(progress, tensors, this.#names);
    await this.#options.source.seek(progress.cursor);
    this.#session.write(tensors);
    const { step, microBatch, heldLoss, cursor, fingerprint } = progress;
    this.#progress = { step, microBatch, heldLoss };
    this.#cursor = cursor;
    return differences(fingerprint, this.fingerprint);
  }

  /**
   * Trains until that many updates were made or the data ends. Leaving the loop early leaves the run where the last event was.
   * @throws training-diverged at a step whose loss or gradient is not finite; weights and moments are those from before it
   */
  async *run(untilStep: number): AsyncGenerator<TrainingEvent, void, undefined> {
    // An earlier loop may have been left in the midst of a step.
    await this.#options.source.seek(this.#cursor);
    while (this.#progress.step < untilStep) {
      const step = await this.#options.source.next();
      if (step === undefined) return;
      checkStep(step, this.#options.shape, this.#progress.step);
      yield* this.#runStep(step);
    }
  }

  *#runStep({ microBatches, trainedTokens }: TrainingStep): Generator<TrainingEvent, void, undefined> {
    const begun = performance.now();
    const tokenCount = Float32Array.of(trainedTokens);
    const last = microBatches.length - 1;
    const skipped = this.#progress.microBatch;
    for (let index = skipped; index < last; index++) {
      const { loss } = this.#session.run('accumulate', { ...inputsOf(microBatches[index]), tokenCount });
      const heldLoss = this.#progress.heldLoss + numberOf(loss);
      this.#progress = { ...this.#progress, microBatch: index + 1, heldLoss };
      yield { kind: 'micro-batch', step: this.#progress.step, microBatch: index + 1 };
    }
    const { schedule, optimizer } = this.#options;
    const learningRate = learningRateAt(schedule, this.#progress.step);
    const { biasCorrection1, biasCorrection2 } = biasCorrections(optimizer, this.#progress.step + 1);
    const { loss, gradientNorm, finite, ...parts } = this.#session.run('update', {
      ...inputsOf(microBatches[last]),
      tokenCount,
      learningRate: Float32Array.of(learningRate),
      biasCorrection1: Float32Array.of(biasCorrection1),
      biasCorrection2: Float32Array.of(biasCorrection2),
    });
    const total = this.#progress.heldLoss + numberOf(loss);
    const norm = numberOf(gradientNorm);
    if (numberOf(finite) !== 1 || !Number.isFinite(total)) throw diverged(this.#progress.step + 1, total, norm);
    this.#progress = { step: this.#progress.step + 1, microBatch: 0, heldLoss: 0 };
    this.#cursor = this.#options.source.cursor();
    const tokens = microBatches.slice(skipped).reduce((sum, batch) => sum + batch.tokens, 0);
    const seconds = (performance.now() - begun) / 1000;
    yield {
      kind: 'step',
      step: this.#progress.step,
      loss: total,
      parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, numberOf(part)])),
      gradientNorm: norm,
      learningRate,
      tokens,
      tokensPerSecond: tokens / seconds,
      ...this.#share(tokens / seconds),
      residentBytes: process.memoryUsage.rss(),
    };
  }

  #share(tokensPerSecond: number): Pick<StepEvent, 'shareOfPeak'> {
    const { peakFlops, config, shape } = this.#options;
    if (peakFlops === undefined) return {};
    return { shareOfPeak: (tokensPerSecond * trainingFlopsPerToken(config, shape.tokens)) / peakFlops };
  }

  dispose(): void {
    this.#session.dispose();
  }
}

const fingerprintOf = ({ runner, shape, ...options }: TrainerOptions): Fingerprint => ({
  ...runner.fingerprint,
  ...shape,
  xla: options.xla ?? true,
  precision: options.precision ?? 'float32',
  recompute: options.recompute ?? false,
  vocabularyChunks: options.vocabularyChunks ?? 1,
});

function inputsOf(batch: MicroBatch | undefined): NamedNumbers {
  if (batch === undefined) throw new TypeError('expected another micro-batch');
  const { ids, positions, segments, labels, weights, extra } = batch;
  return { ids, positions, segments, labels, weights, ...extra };
}
