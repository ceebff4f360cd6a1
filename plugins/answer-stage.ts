/**
 * The stage kind `answer`: a teacher behind an endpoint answers the prompts of a dataset. What it answered is recorded for good
 * and wins over what it might answer another time. How hard it is asked, and what that costs, changes nothing of the answers.
 */
import { answerOptions } from '../config/answer-options.js';
import { defineStage } from './define-stage.js';

export const answerStage = defineStage({
  kind: 'answer',
  version: 1,
  options: answerOptions,
  inputs: { dataset: 'dataset' },
  /** `answers` says of every request what became of it; the dataset depends on nothing but prompts and answers. */
  outputs: { dataset: 'dataset', answers: 'answers' },
  reproducible: false,
  sources: { teacher: 'teacher' },
  shared: { teacher: 'teacher', budget: 'budget' },
  applies: ['budget'],
  immaterial: ['budget'],
  run: async (context) => (await import('../activities/answer.js')).answer(context),
});
