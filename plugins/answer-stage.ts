/**
 * The stage kind `answer`: a teacher answers the prompts of a dataset. It is behind an endpoint, which an io worker asks, or a model
 * that is an input, with which a gpu worker computes. What it answered is recorded once and reused; the teacher is not asked again.
 * How many calls run side by side, and what they may cost, is not part of the stage key.
 */
import { answerOptions, type AnswerOptions } from '../config/answer-options.js';
import { daysBefore } from '../config/scheduled-date.js';
import { computingSilenceLimitsMs } from './computing-work.js';
import { defineStage } from './define-stage.js';

const isLocal = ({ teacher }: AnswerOptions): boolean => teacher === undefined;

export const answerStage = defineStage({
  kind: 'answer',
  version: 2,
  options: answerOptions,
  inputs: { dataset: 'dataset', teacher: 'model?', identity: 'teacher-identity?' },
  oneInputOf: (options) => (isLocal(options) ? [['teacher']] : []),
  disagreements: ({ teacher }, makers) =>
    teacher && makers.teacher ? [{ option: 'teacher', expected: 'an endpoint or the input teacher, not both' }] : [],
  /** `answers` says of every request what became of it; the dataset depends on nothing but prompts and answers. */
  outputs: { dataset: 'dataset', answers: 'answers' },
  queue: (options) => (isLocal(options) ? 'gpu' : 'io'),
  numerics: isLocal,
  needsTerms: isLocal,
  reproducible: false,
  sources: { teacher: 'teacher' },
  shared: { teacher: 'teacher', budget: 'budget' },
  applies: ['budget', 'teacher.maxAge'],
  onDay: ({ teacher, answersSince = '' }, day) => {
    if (teacher?.maxAge === undefined) return undefined;
    const oldest = daysBefore(day, Number.parseInt(teacher.maxAge));
    return { answersSince: oldest > answersSince ? oldest : answersSince };
  },
  foreseesScoring: 'scoring',
  immaterial: ['budget', 'scoring'],
  calls: ({ teacher, samples, maximumTokens }) =>
    teacher && {
      each: 'row',
      requests: samples,
      withPrompts: false,
      atMostUsd: teacher.prices && (samples * maximumTokens * teacher.prices.outputUsdPerMillion) / 1e6,
    },
  inChild: isLocal,
  run: async (context) => (await import('../activities/answer.js')).answer(context),
  program: 'answerer',
  silenceLimitsMs: { ...computingSilenceLimitsMs, ask: 900_000, compact: 600_000, assemble: 600_000 },
});
