/**
 * The stages of the standard plan in which a teacher answers: the prompts of the dataset, from which the student learns; and where it is
 * behind an endpoint, the held-out questions, by which it is measured as the students are. Pure.
 */
import { evaluateOptions } from '../config/evaluate-options.js';
import { isEndpoint, type PlanFile } from '../config/plan-schema.js';
import { plannedStage, type PlannedStage } from './planned-stage.js';

/** Does the plan take notice of answers that have changed? Then `answer` and `capture` wait for the canaries. */
export const isWatched = ({ teacher }: PlanFile): boolean =>
  isEndpoint(teacher) && teacher.canary?.onDrift === 'ask-again';

/** Drift of the teacher is always reported; stages wait for the canaries only where drift makes them ask again. */
export const canary = ({ teacher }: PlanFile): PlannedStage[] =>
  isEndpoint(teacher) && teacher.canary ? [plannedStage('canary', 'canary', [], {}, {})] : [];

export function answer(file: PlanFile): PlannedStage {
  const local = !isEndpoint(file.teacher);
  const watched = isWatched(file);
  const needs = ['import', ...(local ? ['teacher'] : []), ...(watched ? ['canary'] : [])];
  const inputs = {
    dataset: 'import.dataset',
    ...(local && { teacher: 'teacher.model' }),
    ...(watched && { identity: 'canary.identity' }),
  };
  return plannedStage('answer', 'answer', needs, inputs, { ...file.answer });
}

/** A teacher behind an endpoint is measured by its answers, unless `answer-evaluation: false` saves that money. */
export const answersEvaluation = ({ teacher, ...file }: PlanFile): boolean =>
  isEndpoint(teacher) && file['answer-evaluation'] !== false;

/**
 * The held-out questions: instructed as for the answers that the student learns, and decoded as the students are. What is cut off or
 * refused is an answer that is judged, not one that is missing.
 */
export function answerEvaluation(file: PlanFile): PlannedStage {
  const {
    answer: { system } = {},
    evaluate: { maximumTokens = evaluateOptions.shape.maximumTokens.parse(undefined) } = {},
  } = file;
  const watched = isWatched(file);
  const given = file['answer-evaluation'] === false ? {} : file['answer-evaluation'];
  return plannedStage(
    'answer-evaluation',
    'answer',
    ['evaluation', ...(watched ? ['canary'] : [])],
    { dataset: 'evaluation.dataset', ...(watched && { identity: 'canary.identity' }) },
    { ...(system !== undefined && { system }), maximumTokens, keep: ['cut-off', 'refused'], ...given },
  );
}
