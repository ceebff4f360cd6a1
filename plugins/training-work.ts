/** What every stage that trains says of itself, whatever it learns from. */

/** Longest silence in each phase of the trainer: a step may be long, what comes before it reads and compiles. */
const silenceLimitsMs = {
  start: 120_000,
  open: 180_000,
  claim: 180_000,
  load: 600_000,
  compile: 600_000,
  restore: 600_000,
  train: 900_000,
  evaluate: 900_000,
  save: 600_000,
  seal: 600_000,
};

export const trainingWork = {
  outputs: { model: 'model', metrics: 'metrics' },
  queue: 'gpu',
  numerics: true,
  immaterial: ['loseAtMost', 'onDifferentMachine'],
  shared: { loseAtMost: 'loseAtMost', onDifferentMachine: 'onDifferentMachine' },
  program: 'trainer',
  silenceLimitsMs,
} as const;
