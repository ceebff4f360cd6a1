/**
 * The stage kind `capture-endpoint`: as `capture`, from a teacher behind an endpoint that gives log-probabilities of prompts. The
 * tokens are those of the student, scored as they are; what is recorded is never asked for again. Temperature 1 alone.
 */
import { captureEndpointOptions } from '../config/capture-endpoint-options.js';
import { defineStage } from './define-stage.js';

export const captureEndpointStage = defineStage({
  kind: 'capture-endpoint',
  version: 1,
  options: captureEndpointOptions,
  inputs: { dataset: 'dataset', student: 'model', identity: 'teacher-identity?' },
  /** The dataset is the one that came in, less the rows that the logits are not about. */
  outputs: { logits: 'logits', dataset: 'dataset' },
  reproducible: false,
  sources: { teacher: 'teacher' },
  shared: { teacher: 'teacher', budget: 'budget' },
  applies: ['budget'],
  scores: ({ form, k }) => ({ form, k }),
  immaterial: ['budget'],
  calls: ({ teacher: { prices }, tooLong, rowTokens }) => ({
    each: tooLong === 'split' ? 'sample' : 'row',
    requests: 1,
    // The tokens of a sample, one that an endpoint may put before them, and one that it answers.
    atMostUsd: prices && ((rowTokens + 1) * prices.inputUsdPerMillion + prices.outputUsdPerMillion) / 1e6,
    withPrompts: true,
  }),
  program: 'asker',
  silenceLimitsMs: {
    start: 120_000,
    open: 180_000,
    claim: 180_000,
    load: 600_000,
    restore: 600_000,
    // Between two calls an endpoint may ask for ten minutes of quiet.
    capture: 900_000,
    compact: 600_000,
    seal: 600_000,
  },
});
