/**
 * The stage kind `promote`: moves an alias to the model that passed its gate, and to no other. It acts, so the result of another run is
 * not reused. It moves only from the champion that the gate read; where another serves by now, the gate decides again. A refusal stands
 * while nothing changes.
 */
import { promoteOptions } from '../config/gate-options.js';
import { defineStage } from './define-stage.js';

export const promoteStage = defineStage({
  kind: 'promote',
  version: 1,
  options: promoteOptions,
  /** `trained`: with `start: champion`, the first training of the night. The promotion records it: see `champions-training.ts`. */
  inputs: { verdict: 'verdict', model: 'model', dataset: 'dataset?', trained: 'model?' },
  outputs: { promotion: 'promotion' },
  shared: { teacher: 'teacher', student: 'student' },
  reproducible: false,
  reusable: false,
  refusesBy: 'verdict',
  approval: ({ approval }) => approval && { verdict: 'verdict', model: 'model', withinMs: approval.within },
  run: async (context) => (await import('../activities/promote.js')).promoteStudent(context),
});
