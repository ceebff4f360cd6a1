/**
 * Where an attempt begins: at the newest intact checkpoint of the stage, or at the beginning. On a machine that computes the same
 * bits the training goes on as if it had never stopped; on another one, the plan decides, and what comes out says so.
 */
import { inexactResumes, type NumbersSource, type Trainer } from '../../engine/index.js';
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
  const { trainer, writer, report, weights, frozen, microBatches, onDifferentMachine } = request;
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
  await trainer.restore(training);
  const { step: number, fence } = restored;
  report.durable({ step: number / microBatches, fence });
  const did = `trained until step ${trainer.step}`;
  const goneOnAt = inexactResumes({
    before: training.progress.fingerprint,
    now: trainer.fingerprint,
    onDifferentMachine,
    at: trainer.step,
    did,
    resumedInexactlyAt,
  });
  return { kept: { metrics, resumedInexactlyAt: goneOnAt }, number };
}
