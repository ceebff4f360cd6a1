/** Measuring: `nightstill/evaluation`: scorers, paired statistics, gates, cost. No tensors behind it. */

// What judges answers.
export { type EvaluationItem, type Score, type ScoreKind, type Scorer, type ScorerQuestion } from './scorers/scorer.js';
export { createScorerRegistry, type ScorerRegistry } from './scorers/registry.js';
export { describeScorers, versionsOf, type ScorerDescription } from './scorers/describe-scorers.js';
export { itemOf } from './evaluate/items.js';

// What may be promoted.
export { type Comparison, type Outcome } from './gate/compare.js';
export { decideGate, type GateReport, type Verdict } from './gate/gate.js';
export {
  readScoreTables,
  summariseScores,
  type ScoreKinds,
  type ScoresBySystem,
  type ScoreSummary,
} from './gate/read-scores.js';
export { resolveMargins, sayResolution, type Resolution } from './gate/resolution.js';
export { type GateTables, type ItemScores, type Observation, type ScoreTable } from './gate/tables.js';

// How sure one may be.
export { bootstrapMean, type BootstrapOptions, type BootstrapResult } from './statistics/bootstrap.js';
export { wilsonInterval, zeroEventUpperBound, type Interval } from './statistics/proportions.js';

// What is told of a model.
export { compareCost, type CostInput, type CostReport, type NotGiven, type ServingCost } from './cost.js';
export { modelCard, type CardScore, type ModelCardFacts } from './model-card.js';
