/** A whole night of a teacher on this machine, from prompts to a promotion, in small: tiny models, a few steps, gates that any student passes. */
import type { Json } from '../../storage/index.js';

export interface HomePlan {
  readonly name: string;
  readonly store: string;
  /** Prompts. */
  readonly dataset: string;
  /** What the student is measured on. */
  readonly evaluation: string;
  readonly teacher: string;
  readonly student: string;
}

const training = { rowTokens: 64, rows: 2, steps: 2 };

export const homePlan = (given: HomePlan): Json => ({
  ...given,
  teacher: { model: given.teacher, terms: { licence: 'MIT', allowsTraining: 'yes' } },
  answer: { maximumTokens: 8, keep: ['cut-off'], context: 64 },
  capture: {},
  'fine-tune': training,
  distill: training,
  evaluate: { scorers: ['exact-match'], maximumTokens: 4, context: 128 },
  gates: [
    { score: 'exact-match', atLeast: 0, minItems: 1 },
    { score: 'exact-match', notWorseThan: 'champion', margin: 0.9, minItems: 1, discordance: 0.5 },
  ],
  numerics: { runner: 'wasm', threads: 1 },
});
