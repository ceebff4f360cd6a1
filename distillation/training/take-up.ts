/**
 * Where an attempt begins: at the newest intact checkpoint of the stage, or at the beginning. On a machine that computes the same
 * bits the training goes on as if it had never stopped; on another one, the plan decides, and what comes out says so.
 */
import { NightstillError } from '../../config/errors.js';
import type { NumbersSource, Trainer } from '../../engine/index.js';
import type { StageWriter } from '../../storage/index.js';
import { Metrics } from './metrics.js';
import type { Report } from './report.js';
import { decodeCheckpoint, type TrainingCheckpoint } from './training-checkpoint.js';

export interface TakeUpRequest {
  readonly trainer: Trainer;
  readonly writer: StageWriter;
  readonly report: Report;
  /** The student as it begins. */
  readonly weights: NumbersSource;
  /** Values of what the objective reads and no step changes. */
  readonly frozen: NumbersSource | undefined;
  readonly microBatches: number;
  readonly onDifferentMachine: 'continue' | 'wait';
}

export interface TakenUp {
  readonly kept: TrainingCheckpoint;
  /** Number of the checkpoint that was restored; 0 at the beginning. */
  readonly number: number;
}

/** @throws machine-differs, fence-lost, training-state-invalid, and what reading weights throws */
export async function takeUp(request: TakeUpRequest): Promise<TakenUp> {
  const { trainer, writer, report, weights, frozen, microBatches } = request;
  const watched =
    (source: NumbersSource): NumbersSource =>
    (...asked) => {
      report.alive();
      return source(...asked);
    };
  if (frozen) await trainer.loadFrozen(watched(frozen));
  const restored = await writer.restore(() => report.alive());
  if (restored === undefined) {
    await trainer.load(watched(weights));
    return { kept: { metrics: new Metrics(), resumedInexactlyAt: [] }, number: 0 };
  }
  const { training, metrics, resumedInexactlyAt } = decodeCheckpoint(restored);
  const differences = await trainer.restore(training);
  const { step: number, fence } = restored;
  report.durable({ step: number / microBatches, fence });
  const inexactly = differences.length === 0 ? [] : [confirmed(request, differences)];
  return { kept: { metrics, resumedInexactlyAt: [...resumedInexactlyAt, ...inexactly] }, number };
}

/** The step after which other bits are computed, where the plan allows that. */
function confirmed({ trainer: { step }, onDifferentMachine }: TakeUpRequest, differences: readonly string[]): number {
  if (onDifferentMachine === 'continue') return step;
  throw new NightstillError(
    'machine-differs',
    `expected a machine that computes the bits of the one that trained until step ${step}, found ${differences.join('; ')}`,
  );
}
