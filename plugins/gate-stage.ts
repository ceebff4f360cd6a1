/**
 * The stage kind `gate`: may this student be promoted? It decides on scores item by item, by what the plan demands under `gates`.
 * A gate that says no has done its work: what fails a run is only what it could not decide by.
 */
import { gateOptions } from '../config/gate-options.js';
import { systemsOf } from '../config/gate-schema.js';
import { defineStage } from './define-stage.js';

export const gateStage = defineStage({
  kind: 'gate',
  version: 1,
  options: gateOptions,
  inputs: {
    model: 'model',
    candidate: 'scores',
    champion: 'scores?',
    base: 'scores?',
    teacher: 'scores?',
    control: 'scores?',
    'fine-tuned': 'scores?',
  },
  outputs: { verdict: 'verdict' },
  shared: { gates: 'gates', name: 'name' },
  applies: ['gates'],
  /** A ceiling of latency is held against one execution's. */
  observes: ['candidate'],
  reproducible: false,
  champion: ({ name, alias, gates }) => ({
    name,
    alias,
    ...(systemsOf(gates).includes('champion') && { measured: { input: 'champion', like: 'candidate' } }),
  }),
  run: async (context) => (await import('../activities/gate.js')).gate(context),
});
