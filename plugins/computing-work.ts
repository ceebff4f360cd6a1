/** What every stage that computes with a model says of itself, in a process of its own. */

/** Longest silence in each phase that they have in common: what comes before the work reads and compiles. */
export const computingSilenceLimitsMs = {
  start: 120_000,
  open: 180_000,
  claim: 180_000,
  'waiting for cores': 120_000,
  load: 600_000,
  compile: 600_000,
  restore: 600_000,
  seal: 600_000,
} as const;

export const computingWork = {
  queue: 'gpu',
  numerics: true,
  immaterial: ['onDifferentMachine'],
  shared: { onDifferentMachine: 'onDifferentMachine' },
} as const;
