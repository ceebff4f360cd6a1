/**
 * How many answers of its training a model recites, against how many it hits on rows that it has never seen. An evaluation of a
 * sample of the rows that the model was trained on is no score of the model: it is told here and in no table of scores.
 */
import { normalise } from '../scorers/exact-match.js';
import type { ItemResult } from '../evaluate/item-result.js';
import { newcombeInterval, wilsonInterval, type Interval } from '../statistics/proportions.js';
import { numberAt, objectAt, textAt } from './json-members.js';
import type { Evaluation } from './score-tables.js';
import type { ReportedSystem } from './systems.js';

/** Of the answers to so many items. An item that had no room in the context is none of them. */
export interface Share {
  readonly items: number;
  readonly reproduced: number;
  readonly share: number;
  /** Wilson's. */
  readonly interval: Interval;
}

export interface Reproduction {
  readonly system: ReportedSystem;
  /** The node that asked for the training rows. */
  readonly evaluation: string;
  /** The node that made the model. */
  readonly maker: string;
  readonly trained: Share;
  /** Against the answers of the teacher, or where it was not asked the references; null where neither was compared. */
  readonly heldOut: (Share & { readonly against: 'teacher' | 'references' }) | null;
  /** Trained − held out, with Newcombe's interval. */
  readonly gap: { readonly estimate: number; readonly interval: Interval } | null;
}

/** Is it of rows that its own model was trained on? */
export const isOfTraining = ({ lineage, preimage }: Evaluation): boolean => {
  if (lineage.maker === undefined || numberAt(objectAt(preimage, 'options'), 'sample') === null) return false;
  return datasetOf(preimage) !== null && datasetOf(preimage) === datasetOf(lineage.maker.preimage);
};

const datasetOf = (preimage: Evaluation['preimage']): string | null => textAt(objectAt(preimage, 'inputs'), 'dataset');

export function reproductionsOf(evaluations: readonly Evaluation[]): Reproduction[] {
  const others = evaluations.filter((each) => !isOfTraining(each));
  return evaluations.filter(isOfTraining).flatMap((evaluation): Reproduction[] => {
    const { node, model, lineage, results } = evaluation;
    const trained = shareOf(results, matchesReference);
    if (trained === null || lineage.maker === undefined) return [];
    const own = others.filter((each) => each.model === model).map((each) => heldOutOf(each, others));
    const heldOut = own.find((found) => found?.against === 'teacher') ?? own.find((found) => found !== null) ?? null;
    const { system, maker } = lineage;
    return [{ system, evaluation: node, maker: maker.node, trained, heldOut, gap: heldOut && gapOf(trained, heldOut) }];
  });
}

function heldOutOf(own: Evaluation, others: readonly Evaluation[]): Reproduction['heldOut'] {
  const teacher = others.find(
    ({ lineage, preimage }) => lineage.system === 'teacher' && datasetOf(preimage) === datasetOf(own.preimage),
  );
  const answers = teacher && new Map(teacher.results.map(({ id, text }) => [id, normalise(text)]));
  const share = shareOf(
    own.results,
    answers ? ({ id, text }) => answers.get(id) === normalise(text) : matchesReference,
  );
  return share && { against: teacher ? 'teacher' : 'references', ...share };
}

/** Undefined where that was not scored. */
const matchesReference = ({ scores }: ItemResult): boolean | undefined => {
  const found = scores['exact-match'];
  return found && found.score === 1;
};

function shareOf(
  results: readonly ItemResult[],
  isReproduced: (result: ItemResult) => boolean | undefined,
): Share | null {
  const found = results.filter(({ finish }) => finish !== 'prompt-too-long').map(isReproduced);
  if (found.length === 0 || found.includes(undefined)) return null;
  const reproduced = found.filter(Boolean).length;
  const items = found.length;
  return { items, reproduced, share: reproduced / items, interval: wilsonInterval(reproduced, items) };
}

const counted = ({ reproduced, items }: Share) => ({ right: reproduced, items });

const gapOf = (trained: Share, heldOut: Share): Reproduction['gap'] => ({
  estimate: trained.share - heldOut.share,
  interval: newcombeInterval(counted(trained), counted(heldOut)),
});
