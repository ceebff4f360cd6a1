/** A plan that measures a model as it is, decides about it, and promotes it: nothing is trained. */
import type { Json } from '../../storage/index.js';

const notWorse = { score: 'exact-match', notWorseThan: 'champion', margin: 0.9, minItems: 1, discordance: 0.5 };

/** Gates that any model passes. */
const passes = [{ score: 'exact-match', atLeast: 0, minItems: 1 }, notWorse];

export interface PromotionPlan {
  readonly name: string;
  readonly store: string;
  readonly dataset: string;
  readonly model: string;
  readonly gates?: readonly Json[];
  /** A file: nothing is decided before it is there. */
  readonly waitFor?: string;
  /** Options of the stage promote. */
  readonly promote?: Readonly<Record<string, Json>>;
}

export const promotionPlan = ({
  name,
  store,
  dataset,
  model,
  gates = passes,
  waitFor,
  promote,
}: PromotionPlan): Json => ({
  name,
  store,
  numerics: { runner: 'wasm', threads: 1 },
  gates,
  stages: [
    { id: 'held-out', uses: 'import', with: { dataset } },
    { id: 'student', uses: 'import-model', with: { model } },
    {
      id: 'evaluate',
      uses: 'evaluate',
      needs: ['held-out', 'student'],
      with: { scorers: ['exact-match'], maximumTokens: 4, context: 128 },
    },
    ...(waitFor === undefined
      ? []
      : [{ id: 'pause', uses: 'note', needs: ['evaluate'], with: { text: name, waitFor } }]),
    {
      id: 'gate',
      uses: 'gate',
      needs: ['student', 'evaluate', ...(waitFor === undefined ? [] : ['pause'])],
      inputs: { candidate: 'evaluate.scores' },
    },
    { id: 'promote', uses: 'promote', needs: ['gate', 'student'], ...(promote && { with: promote }) },
  ],
});
