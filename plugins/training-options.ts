/** What every stage that trains says of itself, beside its options. */
/** They change how the work is done and not what comes out. */
export const immaterialTrainingOptions = ['loseAtMost', 'onDifferentMachine'] as const;

/** Options that a plan may give at its top. */
export const sharedTrainingOptions = { loseAtMost: 'loseAtMost', onDifferentMachine: 'onDifferentMachine' } as const;

/** Longest silence in each phase of the trainer: a step may be long, what comes before it reads and compiles. */
export const trainerSilenceLimitsMs = {
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
