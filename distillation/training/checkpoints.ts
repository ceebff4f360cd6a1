/**
 * Makes a training durable while it goes on. A save reads the state, copies it and returns; the store acknowledges it later, and
 * only then is it called durable. One save is under way at a time. It proceeds only while the event loop turns, and there is one turn
 * between two steps: after a long step the training therefore pauses for it, for a share of the time.
 *
 * A lost fence ends the training when `consider` is called next. Any other failure is followed by another try a while later, and the
 * third in a row ends the training. `saveNow` waits for the save under way, tries once more where the present moment is not durable, and
 * rejects when that fails too.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from '../../config/errors.js';
import type { Trainer } from '../../engine/index.js';
import type { StageWriter } from '../../storage/index.js';
import { CheckpointPolicy, greatestShare, type SaveCost } from './checkpoint-policy.js';
import { checkpointNumber, encodeCheckpoint, type TrainingCheckpoint } from './training-checkpoint.js';

/** A moment that is durable: steps may be a fraction where the moment lies within a step. */
export interface DurableStep {
  readonly step: number;
  readonly fence: number;
}

export interface CheckpointSettings {
  readonly trainer: Trainer;
  readonly writer: StageWriter;
  /** Micro-batches of a step. */
  readonly microBatches: number;
  readonly loseAtMostMs: number;
  /** What is kept beside the state of the trainer. */
  readonly kept: TrainingCheckpoint;
  readonly onDurable: (durable: DurableStep) => void;
  /** Called while a save goes on, after each of its parts. */
  readonly onPack?: () => void;
}

export interface CheckpointCosts {
  readonly count: number;
  /** How long the training stood still for them. */
  readonly blockedMs: number;
  readonly longestUntilDurableMs: number;
}

const toleratedFailures = 2;
/** The shortest wait of a timer. After short steps nothing is paid until this much is owed. */
const leastWaitMs = 1;

export class Checkpoints {
  readonly #settings: CheckpointSettings;
  readonly #policy: CheckpointPolicy;
  /** The number of the last moment that is durable. */
  #durable: number;
  /** Settles when the save that is under way does. */
  #underWay: Promise<void> | undefined;
  /** How long the training stood still for it. */
  #blockedMs = 0;
  /** When a save was last given time. */
  #waitedAtMs = 0;
  #failures = 0;
  #failure: unknown;
  #costs: CheckpointCosts = { count: 0, blockedMs: 0, longestUntilDurableMs: 0 };

  /** @param restored the number of the checkpoint that the training goes on from */
  constructor(settings: CheckpointSettings, restored = 0) {
    this.#settings = settings;
    this.#policy = new CheckpointPolicy(settings.loseAtMostMs, performance.now());
    this.#durable = restored;
  }

  get costs(): CheckpointCosts {
    return this.#costs;
  }

  /**
   * Called between two events of the training: begins a save if one is due, and pauses for the one under way.
   * @throws fence-lost, or what saving failed with for the third time
   */
  async consider(): Promise<void> {
    if (hasCode(this.#failure, 'fence-lost') || this.#failures > toleratedFailures) throw this.#failure;
    if (this.#policy.due(performance.now())) void this.#save();
    await this.#waitForShare();
  }

  /** The present moment is durable when it returns. @throws fence-lost and what saving fails with */
  async saveNow(): Promise<void> {
    await this.#underWay; // of this moment or an earlier one; where it fails, this moment is saved again
    await this.#save();
    await this.#settings.writer.drain();
    if (this.#failures > 0) throw this.#failure;
  }

  /** Pauses for a twentieth of the time since the last pause, while a save is under way. */
  async #waitForShare(): Promise<void> {
    const startedAtMs = performance.now();
    const owedMs = (startedAtMs - this.#waitedAtMs) * greatestShare;
    if (this.#underWay === undefined || owedMs < leastWaitMs) return;
    await Promise.race([this.#underWay, delay(owedMs)]);
    this.#waitedAtMs = performance.now();
    this.#blockedMs += this.#waitedAtMs - startedAtMs;
  }

  /** Reads and copies before it returns; never rejects. */
  #save(): Promise<void> {
    const { trainer, microBatches } = this.#settings;
    const number = checkpointNumber(trainer.progress, microBatches);
    if (number === this.#durable) return Promise.resolve();
    const saving = this.#saveAs(number).finally(() => (this.#underWay = undefined));
    this.#underWay = saving;
    return saving;
  }

  async #saveAs(number: number): Promise<void> {
    const { trainer, writer, microBatches, kept, onPack } = this.#settings;
    const startedAtMs = performance.now();
    this.#policy.begin(startedAtMs);
    try {
      const { durable } = writer.save({
        ...encodeCheckpoint(trainer.capture(), kept, microBatches),
        ...(onPack && { onPack }),
      });
      this.#waitedAtMs = performance.now();
      this.#blockedMs = this.#waitedAtMs - startedAtMs;
      if ((await durable) === 'superseded') return;
      this.#acknowledge(number, {
        blockedMs: this.#blockedMs,
        durableAfterMs: performance.now() - startedAtMs,
      });
    } catch (error) {
      this.#policy.failed(performance.now());
      this.#failures += 1;
      this.#failure = error;
    }
  }

  #acknowledge(number: number, cost: SaveCost): void {
    const { writer, microBatches, onDurable } = this.#settings;
    this.#durable = number;
    this.#policy.durable(cost);
    this.#failures = 0;
    this.#costs = {
      count: this.#costs.count + 1,
      blockedMs: this.#costs.blockedMs + cost.blockedMs,
      longestUntilDurableMs: Math.max(this.#costs.longestUntilDurableMs, cost.durableAfterMs),
    };
    onDurable({ step: number / microBatches, fence: writer.fence });
  }
}
