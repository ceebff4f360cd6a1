/**
 * Learning rates as pure functions of the step: nothing to store, exact after a resume. Equal to transformers'
 * get_{constant,linear,cosine}_schedule_with_warmup and get_cosine_with_min_lr_schedule_with_warmup.
 */
import { NightstillError } from '../../config/errors.js';

export interface Schedule {
  readonly kind: 'constant' | 'linear' | 'cosine';
  /** The learning rate after warm-up. */
  readonly peak: number;
  readonly totalSteps: number;
  /** Steps of linear growth from 0, or their share of totalSteps (rounded up); none when absent. */
  readonly warmUp?: { readonly steps: number } | { readonly ratio: number };
  /** The least learning rate after warm-up, as a share of the peak; 0 when absent. */
  readonly minimumRatio?: number;
}

/**
 * @param step how many updates were made before: 0 at the first one, where a warm-up gives 0, as in PyTorch. From totalSteps on
 *   the rate stays what it was there (transformers' cosine would rise again).
 * @throws training-setting-invalid
 */
export function learningRateAt(schedule: Schedule, step: number): number {
  check(schedule);
  const { kind, peak, totalSteps, minimumRatio = 0 } = schedule;
  const warmUp = warmUpSteps(schedule);
  if (step < warmUp) return peak * (step / Math.max(1, warmUp));
  if (kind === 'constant') return peak;
  const here = Math.min(step, Math.max(totalSteps, warmUp));
  const decaySteps = Math.max(1, totalSteps - warmUp);
  const factor =
    kind === 'linear'
      ? Math.max(0, (totalSteps - here) / decaySteps)
      : 0.5 * (1 + Math.cos(Math.PI * ((here - warmUp) / decaySteps)));
  return peak * (factor * (1 - minimumRatio) + minimumRatio);
}

function warmUpSteps({ warmUp, totalSteps }: Schedule): number {
  if (warmUp === undefined) return 0;
  return 'steps' in warmUp ? warmUp.steps : Math.ceil(totalSteps * warmUp.ratio);
}

function check(schedule: Schedule): void {
  const { peak, totalSteps, minimumRatio = 0 } = schedule;
  const limits: readonly (readonly [name: string, value: number, greatest: number])[] = [
    ['peak', peak, Infinity],
    ['totalSteps', totalSteps, Infinity],
    ['warmUp', warmUpSteps(schedule), Math.max(totalSteps, 0)],
    ['minimumRatio', minimumRatio, 1],
  ];
  for (const [name, value, greatest] of limits)
    if (!(value >= 0 && value <= greatest && Number.isFinite(value)))
      throw new NightstillError(
        'training-setting-invalid',
        `${name} of the learning rate schedule must be a number of 0 to ${greatest}, not ${value}.`,
      );
}
