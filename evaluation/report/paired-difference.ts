/**
 * What one system gains over another on the same items, with the interval of the difference: Tango's for right and wrong, the
 * paired bootstrap for means. The conclusion is read off the interval: where it holds 0, no difference is shown.
 */
import { NightstillError } from '../../config/errors.js';
import type { ScoreKind } from '../scorers/scorer.js';
import { bootstrapMean } from '../statistics/bootstrap.js';
import { pairedCounts } from '../statistics/paired-counts.js';
import type { Interval } from '../statistics/proportions.js';
import { tangoInterval } from '../statistics/tango.js';

export type Conclusion = 'better' | 'no-difference-shown' | 'worse';

export interface Difference {
  /** The evaluation of the one, and of the other. */
  readonly candidate: string;
  readonly control: string;
  readonly estimate: number;
  readonly interval: Interval;
  readonly method: 'tango' | 'paired-bootstrap';
  /** Items on which the candidate alone is better, and the control alone. */
  readonly gained: number;
  readonly lost: number;
  readonly conclusion: Conclusion;
  /** What differs between the two trainings beside α: where it is not empty, α alone does not explain the difference. Null: not known. */
  readonly otherDifferences: readonly string[] | null;
}

export interface Scores {
  readonly evaluation: string;
  /** Item id → score. */
  readonly scores: ReadonlyMap<string, number>;
}

export interface DifferenceRequest {
  readonly kind: ScoreKind;
  readonly candidate: Scores;
  readonly control: Scores;
  readonly otherDifferences: readonly string[] | null;
}

/** @throws evaluation-invalid when the two do not hold the same items */
export function differenceOf({ kind, candidate, control, otherDifferences }: DifferenceRequest): Difference {
  const [ours, theirs] = paired(candidate, control);
  const counts = pairedCounts(ours, theirs);
  const { estimate, interval, method } =
    kind === 'right-wrong'
      ? {
          estimate: (counts.gained - counts.lost) / counts.items,
          interval: tangoInterval(counts),
          method: 'tango' as const,
        }
      : ofMeans(ours.map((value, item) => value - (theirs[item] ?? 0)));
  return {
    candidate: candidate.evaluation,
    control: control.evaluation,
    estimate,
    interval,
    method,
    gained: counts.gained,
    lost: counts.lost,
    conclusion: conclusionOf(interval),
    otherDifferences,
  };
}

function ofMeans(differences: readonly number[]) {
  const { mean, interval } = bootstrapMean(differences);
  return { estimate: mean, interval, method: 'paired-bootstrap' as const };
}

const conclusionOf = ({ lower, upper }: Interval): Conclusion =>
  lower > 0 ? 'better' : upper < 0 ? 'worse' : 'no-difference-shown';

/** In the order of the ids, which decides what a bootstrap draws. */
function paired(candidate: Scores, control: Scores): readonly [number[], number[]] {
  const ids = [...candidate.scores.keys()].sort();
  const surplus = [...control.scores.keys()].find((id) => !candidate.scores.has(id));
  const missing = ids.find((id) => !control.scores.has(id)) ?? surplus;
  if (missing === undefined)
    return [ids.map((id) => candidate.scores.get(id) ?? 0), ids.map((id) => control.scores.get(id) ?? 0)];
  throw new NightstillError(
    'evaluation-invalid',
    `expected the same items in ${candidate.evaluation} and ${control.evaluation}, found item ${missing} in one of them`,
  );
}
