/**
 * The stage kind `canary`: a teacher behind an endpoint is asked a few prompts in every run, and drift from what it answered at first is
 * told. An `answer` that takes its output asks everything anew once the answers have changed.
 */
import { canaryOptions } from '../config/answer-options.js';
import { defineStage } from './define-stage.js';

export const canaryStage = defineStage({
  kind: 'canary',
  version: 1,
  options: canaryOptions,
  outputs: { identity: 'teacher-identity' },
  reproducible: false,
  /** The teacher may have changed since the last run. */
  reusable: false,
  sources: { teacher: 'teacher' },
  shared: { teacher: 'teacher', budget: 'budget' },
  applies: ['budget', 'teacher.canary'],
  immaterial: ['budget'],
  calls({ teacher: { canary, prices } }) {
    const { prompts = [], maximumTokens = 0 } = canary ?? {};
    const atMostUsd = prices && (prompts.length * maximumTokens * prices.outputUsdPerMillion) / 1e6;
    return { each: 'run', requests: prompts.length, atMostUsd, withPrompts: false };
  },
  run: async (context) => (await import('../activities/canary.js')).canary(context),
});
