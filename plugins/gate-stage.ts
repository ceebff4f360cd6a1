/**
 * The stage kind `gate`: may this student be promoted? It decides on scores item by item, by what the plan demands under `gates`.
 * A gate that says no has done its work; a run fails only when the gate could not decide.
 */
import { nearest } from '../config/nearest.js';
import { scorerIdOf } from '../config/evaluate-options.js';
import { gateOptions } from '../config/gate-options.js';
import { observationsOf, scoresOf, systemsOf, type Gate } from '../config/gate-schema.js';
import type { JsonObject } from '../config/json.js';
import type { Disagreement } from '../config/stage-kind.js';
import { defineStage } from './define-stage.js';

export const gateStage = defineStage({
  kind: 'gate',
  version: 3,
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
  /** The champion is found in the store. */
  oneInputOf: ({ gates }) => systemsOf(gates).flatMap((system) => (system === 'champion' ? [] : [[system]])),
  disagreements: ({ gates }, { candidate }, { candidate: observed }) => [
    ...(candidate === undefined ? [] : unlikeScored(gates, candidate)),
    ...(observed === undefined ? [] : unobserved(gates, observed)),
  ],
  outputs: { verdict: 'verdict' },
  shared: { gates: 'gates', name: 'name' },
  applies: ['gates'],
  /** A ceiling of latency is held against one execution's. */
  observes: ['candidate'],
  reproducible: false,
  champion: ({ name, alias, gates }) => ({
    name,
    alias,
    candidate: 'model',
    ...(systemsOf(gates).includes('champion') && { measured: { input: 'champion', like: 'candidate' } }),
  }),
  run: async (context) => (await import('../activities/gate.js')).gate(context),
});

/** What is asked for and not scored. A stage of a user's own that is no evaluation may mean something else by `scorers`. */
function unlikeScored(gates: Gate, { scorers }: JsonObject): Disagreement[] {
  if (!Array.isArray(scorers)) return [];
  const names = scorers.map(String);
  const scored = names.map(scorerIdOf);
  const missing = scoresOf(gates).filter((score) => !scored.includes(score));
  if (missing.length === 0 || !names.every((name) => /@\d+$/.test(name))) return [];
  return [{ option: 'gates', expected: `scores of the evaluation (${scored.join(', ')}), not ${missing.join(', ')}` }];
}

/** What is asked for and not observed would fail the gate after everything was trained. */
const unobserved = (gates: Gate, known: readonly string[]): Disagreement[] =>
  observationsOf(gates)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      option: 'gates',
      expected: `observations of the evaluation (${known.join(', ')}), not ${name}${nearest(name, known)}`,
    }));
