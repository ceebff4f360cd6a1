/**
 * A training run: takes steps from a source of batches, runs the programs, and says what happened as an async iterable. It
 * prints nothing, writes nothing and knows no clock but for rates. Between any two events it can be captured, and a captured
 * state restored, bit for bit.
 */
import { compile, type Session } from '../compile.js';
import type { ModelConfig } from '../files/model-config.js';
import { expectedTensors } from '../files/model-tensors.js';
import { trainingFlopsPerToken } from '../models/parameters.js';
import type { NamedNumbers, NumbersSource, Runner } from '../runners/runner.js';
import { sizeOf } from '../tracing/tensor-spec.js';
import type { TensorSpecs } from '../tracing/trace.js';
import { accumulatedName } from './accumulation.js';
import { biasCorrections, type AdamWSettings } from './adamw.js';
import type { Objective } from './objective.js';
import { createRandom, restoreRandom } from './random.js';
import { learningRateAt, type Schedule } from './schedule.js';
import type { MicroBatch, StepSource, TrainingStep } from './step-source.js';
import * as check from './trainer-checks.js';
import { Stopwatch, type Evaluation, type StepEvent, type TrainingEvent } from './training-events.js';
import { trainingPrograms, trainingState, type TrainingShape } from './training-programs.js';
import {
  differences,
  type CapturedState,
  type Fingerprint,
  type StateProgress,
  type TrainingState,
} from './training-state.js';

export interface TrainerOptions {
  readonly runner: Runner;
  readonly config: ModelConfig;
  readonly shape: TrainingShape;
  readonly objective: Objective;
  readonly optimizer: AdamWSettings;
  readonly schedule: Schedule;
  readonly source: StepSource;
  /** What `evaluate` goes through; rows as the shape says. Without it no program for that is made. */
  readonly heldOut?: StepSource;
  /** Of the random numbers that a source may draw: an integer of 0 … 2⁵³−1. Default 0. */
  readonly seed?: number;
  /** Default 1: all logits of a micro-batch at once. */
  readonly vocabularyChunks?: number;
  /** Default false. */
  readonly recompute?: boolean;
  /** As one XLA computation where the runner knows XLA: slower to begin with, faster on some processors. Default false. */
  readonly xla?: boolean;
  /** Default float32. */
  readonly precision?: 'float32' | 'bfloat16';
  /** FLOP/s that the device reaches at best; without it no share of the peak is reported. */
  readonly peakFlops?: number;
}

type Settings = TrainerOptions & ReturnType<typeof defaultsOf>;

const defaultsOf = ({ seed, vocabularyChunks, recompute, xla, precision }: TrainerOptions) => ({
  seed: seed ?? 0,
  vocabularyChunks: vocabularyChunks ?? 1,
  recompute: recompute ?? false,
  xla: xla ?? false,
  precision: precision ?? 'float32',
});

type Scalars = Readonly<Record<string, number>>;

export class Trainer {
  readonly fingerprint: Fingerprint;
  readonly #session: Session<string>;
  readonly #settings: Settings;
  readonly #state: TensorSpecs;
  readonly #weights: readonly string[];
  #progress: StateProgress;

  private constructor(settings: Settings, session: Session<string>, state: TensorSpecs) {
    this.#settings = settings;
    this.#session = session;
    this.#state = state;
    this.#weights = [...expectedTensors(settings.config).keys()];
    const { runner, shape, xla, precision, recompute, vocabularyChunks } = settings;
    this.fingerprint = { ...runner.fingerprint, ...shape, xla, precision, recompute, vocabularyChunks };
    const rng = createRandom(settings.seed, 'training').state();
    const begun = { step: 0, microBatch: 0, held: {}, cursor: null };
    this.#progress = { version: 1, ...begun, rng, fingerprint: this.fingerprint };
  }

  /**
   * Compiles the programs. Weights are zeros until `load` or `restore`.
   * @throws training-setting-invalid and what compile() throws
   */
  static async create(options: TrainerOptions): Promise<Trainer> {
    check.checkSettings(options);
    const settings = { ...options, ...defaultsOf(options) };
    const weights: TensorSpecs = Object.fromEntries(
      [...expectedTensors(options.config)].map(([name, shape]) => [name, { shape, dtype: 'float32' }] as const),
    );
    const programOptions = { ...settings, weights, evaluates: options.heldOut !== undefined };
    const state = trainingState(programOptions);
    const programs = trainingPrograms(programOptions);
    const session = await compile<string>({ runner: options.runner, state, programs });
    return new Trainer(settings, session, state);
  }

  /** Sets every weight, one after another: from a model directory, or random ones. @throws program-invalid for other sizes */
  async load(source: NumbersSource): Promise<void> {
    await this.#session.load(this.#weights, source);
  }

  /** Sets what the objective reads and no step changes, one after another, by the objective's names. @throws program-invalid */
  async loadFrozen(source: NumbersSource): Promise<void> {
    await this.#session.load(Object.keys(this.#settings.objective.frozen), source);
  }

  /** The values of a weight, moment or held gradient. @throws program-invalid for another name */
  read(name: string): Float32Array {
    const values = this.#session.read([name])[name];
    if (values instanceof Float32Array) return values;
    throw new TypeError(`${name} is not of float32`);
  }

  /** Updates made so far. */
  get step(): number {
    return this.#progress.step;
  }

  /** Where the run stands between two events: its state without the tensors. */
  get progress(): StateProgress {
    return this.#progress;
  }

  /** The state between two events; it does not change with the run. */
  capture(): CapturedState {
    const specs = this.#stateSpecs(this.#progress);
    const tensors = this.#session.read(Object.keys(specs));
    return { progress: this.#progress, specs, tensors, read: (name) => tensors[name] ?? new Float32Array() };
  }

  /**
   * Goes on from a state. After an error while its tensors are read, it must be done again before anything else.
   * @returns what differs between the fingerprints; when empty, the run is bit for bit the one that was captured.
   * @throws training-state-invalid when the state is not one of this model; what reading it throws
   */
  async restore({ progress, specs, read }: TrainingState): Promise<readonly string[]> {
    const expected = this.#stateSpecs(progress);
    check.checkTensors(expected, specs);
    restoreRandom(progress.rng);
    if (progress.microBatch === 0) this.#clearHeld();
    await this.#session.load(Object.keys(expected), read);
    this.#progress = { ...progress, fingerprint: this.fingerprint };
    return differences(progress.fingerprint, this.fingerprint);
  }

  /**
   * Trains until that many updates were made or the data ends. Leaving the loop early leaves the run where the last event was.
   * @throws training-diverged at a step whose loss or gradient is not finite: the run stands before that step, weights and moments
   *   as they were; training-setting-invalid for a step that cannot be; what the source throws
   */
  async *run(untilStep: number): AsyncGenerator<TrainingEvent, void, undefined> {
    if (this.#progress.step >= untilStep) return;
    const { source } = this.#settings;
    const random = restoreRandom(this.#progress.rng);
    const watch = new Stopwatch();
    for await (const step of source.steps(this.#progress.cursor, random)) {
      check.checkStep(step, this.#settings, this.#progress.step + 1);
      check.checkHeld(step, this.#progress);
      yield* this.#hold(step, watch);
      const event = this.#update(step, watch);
      const { length } = step.microBatches;
      this.#move(step.cursorAfter(length), { step: event.step, microBatch: 0, held: {}, rng: random.state() });
      yield event;
      if (this.#progress.step >= untilStep) return;
      watch.start();
    }
  }

  /** The mean loss over the held-out data; nothing is learned. @throws training-setting-invalid where there is none */
  async evaluate(): Promise<Evaluation> {
    const { heldOut, shape, seed } = this.#settings;
    const sums: Record<string, number> = {};
    let trainedTokens = 0;
    if (heldOut !== undefined)
      for await (const step of heldOut.steps(null, createRandom(seed, 'evaluation'))) {
        const most = { ...shape, microBatches: step.microBatches.length };
        check.checkStep(step, { ...this.#settings, shape: most }, 1);
        for (const batch of step.microBatches) {
          const means = check.scalarsOf(this.#session.run('evaluate', inputsOf(batch, step)));
          for (const [name, mean] of Object.entries(means)) sums[name] = (sums[name] ?? 0) + mean * step.trainedTokens;
        }
        trainedTokens += step.trainedTokens;
      }
    if (trainedTokens === 0) throw check.nothingHeldOut();
    const means = Object.entries(sums).map(([name, sum]) => [name, sum / trainedTokens] as const);
    const { loss = Number.NaN, ...parts } = Object.fromEntries(means);
    return { loss, parts, trainedTokens };
  }

  dispose(): void {
    this.#session.dispose();
  }

  /** Micro-batches but the last. */
  *#hold(step: TrainingStep, watch: Stopwatch): Generator<TrainingEvent, void, undefined> {
    const { microBatches, firstMicroBatch, cursorAfter } = step;
    for (let index = firstMicroBatch; index < microBatches.length - 1; index++) {
      const outputs = check.scalarsOf(this.#session.run('accumulate', inputsOf(microBatches[index], step)));
      const held = added(this.#progress.held, outputs);
      if (!Number.isFinite(held['loss'])) throw this.#diverged(step, held['loss']);
      this.#move(cursorAfter(index + 1), { microBatch: index + 1, held });
      watch.stop();
      yield { kind: 'micro-batch', step: this.#progress.step, microBatch: index + 1 };
      watch.start();
    }
  }

  /** The last micro-batch, and the update. */
  #update(step: TrainingStep, watch: Stopwatch): StepEvent {
    const { microBatches, firstMicroBatch } = step;
    const { schedule, optimizer, peakFlops, config, shape } = this.#settings;
    const number = this.#progress.step + 1;
    const learningRate = learningRateAt(schedule, number - 1);
    const { biasCorrection1, biasCorrection2 } = biasCorrections(optimizer, number);
    const results = this.#session.run('update', {
      ...inputsOf(microBatches.at(-1), step),
      learningRate: Float32Array.of(learningRate),
      biasCorrection1: Float32Array.of(biasCorrection1),
      biasCorrection2: Float32Array.of(biasCorrection2),
    });
    const { gradientNorm = Number.NaN, finite, ...outputs } = check.scalarsOf(results);
    const { loss = Number.NaN, ...parts } = added(this.#progress.held, outputs);
    if (finite !== 1) throw this.#diverged(step, loss, gradientNorm);
    const done = microBatches.slice(firstMicroBatch).reduce((sum, batch) => sum + batch.tokens, 0);
    const tokensPerSecond = done / watch.take();
    const flops = tokensPerSecond * trainingFlopsPerToken(config, shape.tokens);
    return {
      kind: 'step',
      step: number,
      loss,
      parts,
      gradientNorm,
      learningRate,
      tokens: microBatches.reduce((sum, batch) => sum + batch.tokens, 0),
      tokensPerSecond,
      ...(peakFlops !== undefined && { shareOfPeak: flops / peakFlops }),
      residentBytes: process.memoryUsage.rss(),
    };
  }

  #move(cursor: unknown, changes: Partial<StateProgress>): void {
    this.#progress = { ...this.#progress, ...changes, cursor };
  }

  /** Back to where the step began. */
  #diverged({ cursorAfter }: TrainingStep, loss: number | undefined, gradientNorm?: number): Error {
    this.#clearHeld();
    this.#move(cursorAfter(0), { microBatch: 0, held: {} });
    return check.diverged(this.#progress.step + 1, loss ?? Number.NaN, gradientNorm);
  }

  #clearHeld(): void {
    if (this.#settings.shape.microBatches === 1) return;
    const sizes = this.#weights.map((name) => [accumulatedName(name), sizeOf(this.#state[name]?.shape ?? [])] as const);
    const zeros = new Float32Array(Math.max(...sizes.map(([, size]) => size)));
    this.#session.write(Object.fromEntries(sizes.map(([name, size]) => [name, zeros.subarray(0, size)])));
  }

  /** Held gradients belong to a state only within a step: between two they are zeros. */
  #stateSpecs({ microBatch }: StateProgress): TensorSpecs {
    const { frozen } = this.#settings.objective;
    const held = new Set(microBatch > 0 ? [] : this.#weights.map(accumulatedName));
    return Object.fromEntries(
      Object.entries(this.#state).filter(([name]) => !held.has(name) && !Object.hasOwn(frozen, name)),
    );
  }
}

function inputsOf(batch: MicroBatch | undefined, { trainedTokens }: TrainingStep): NamedNumbers {
  if (batch === undefined) throw new TypeError('expected another micro-batch');
  const { ids, positions, segments, labels, weights, extra } = batch;
  return { ids, positions, segments, labels, weights, ...extra, tokenCount: Float32Array.of(trainedTokens) };
}

const added = (held: Scalars, more: Scalars): Scalars =>
  Object.fromEntries(Object.entries(more).map(([name, value]) => [name, (held[name] ?? 0) + value]));
