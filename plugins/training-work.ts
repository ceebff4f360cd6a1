/** What every stage that trains says of itself, whatever it learns from. */
import { computingSilenceLimitsMs, computingWork } from './computing-work.js';

export const trainingWork = {
  ...computingWork,
  outputs: { model: 'model', metrics: 'metrics' },
  immaterial: ['loseAtMost', 'onDifferentMachine'],
  shared: { loseAtMost: 'loseAtMost', onDifferentMachine: 'onDifferentMachine' },
  program: 'trainer',
  /** A step may be long. */
  silenceLimitsMs: { ...computingSilenceLimitsMs, train: 900_000, evaluate: 900_000 },
} as const;
