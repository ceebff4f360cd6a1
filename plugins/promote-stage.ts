/**
 * The stage kind `promote`: moves a name to the model that passed its gate, and to no other. It acts, so a move of another run
 * is never taken for its own; it moves against what the gate read, and when that has changed the gate decides again. What it refused
 * stays refused as long as candidate and verdict are the same.
 */
import { promoteOptions } from '../config/gate-options.js';
import { defineStage } from './define-stage.js';

export const promoteStage = defineStage({
  kind: 'promote',
  version: 1,
  options: promoteOptions,
  /** `trained`: what the night trained first, where nights begin with what serves; that name then knows what it came from. */
  inputs: { verdict: 'verdict', model: 'model', dataset: 'dataset?', trained: 'model?' },
  outputs: { promotion: 'promotion' },
  shared: { teacher: 'teacher', student: 'student' },
  reproducible: false,
  reusable: false,
  refusesBy: 'verdict',
  approval: ({ approval }) => approval && { verdict: 'verdict', model: 'model', withinMs: approval.within },
  run: async (context) => (await import('../activities/promote.js')).promoteStudent(context),
});
