/** The plan that this service runs, as a value with a type: an editor knows its fields, and the compiler finds a typo. */
import type { PlanFileInput } from '../../client/index.js';

/**
 * Imports a dataset. Without `stages`, and with a `teacher` and a `student`, it would be the standard plan: from the dataset
 * to a distilled student.
 */
export const planFor = ({ dataset, store }: { dataset: string; store: string }): PlanFileInput => ({
  name: 'support-answers',
  store,
  stages: [{ id: 'import', uses: 'import', with: { dataset } }],
});
