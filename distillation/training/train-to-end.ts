/**
 * The training itself: steps until the end, each told to the metrics, the reader and the checkpoints. Between any two
 * micro-batches the event loop turns, so that the death of the parent is noticed, and a stop is obeyed: what was trained is made
 * durable first.
 */
import { setImmediate } from 'node:timers/promises';
import type { StepEvent, Trainer } from '../../engine/index.js';
import type { Checkpoints } from './checkpoints.js';
import type { Lesson } from './lesson.js';
import type { Metrics } from './metrics.js';
import type { Report } from './report.js';

export interface Training {
  readonly trainer: Trainer;
  /** Where it ends. */
  readonly steps: number;
  readonly metrics: Metrics;
  readonly checkpoints: Checkpoints;
  readonly report: Report;
  readonly check: Lesson['check'];
  readonly stop: AbortSignal;
}

/** The end of the training is durable when it returns. @throws training-diverged, divergence-negative, fence-lost, the reason of `stop` */
export async function trainToEnd({
  trainer,
  steps,
  metrics,
  checkpoints,
  report,
  check,
  stop,
}: Training): Promise<void> {
  for await (const event of trainer.run(steps)) {
    if (event.kind === 'step') {
      check?.(event);
      metrics.add(event);
      report.facts(factsOf(event, steps));
    }
    await checkpoints.consider();
    await setImmediate();
    if (stop.aborted) break;
  }
  await checkpoints.saveNow();
  stop.throwIfAborted();
}

const factsOf = ({ step, loss, tokensPerSecond, learningRate }: StepEvent, of: number) => ({
  done: step,
  of,
  unit: 'steps',
  loss,
  tokensPerSecond: Math.round(tokensPerSecond),
  learningRate,
});
