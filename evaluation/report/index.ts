/** The closing report of a run, from what its stages have recorded. No tensors behind it. */
export { usdPer1000Requests } from '../cost.js';
export { parseLines } from '../evaluate/item-result.js';
export { capturedOf, type CapturedDistributions } from './captured.js';
export { memberOf, numberAt, objectAt, textAt, textsAt } from './json-members.js';
export { scoreTables, type Evaluation, type Prices, type ScoreTable } from './score-tables.js';
export { isOfTraining, reproductionsOf, type Reproduction } from './reproduction.js';
export { sayComparison } from '../gate/reasons.js';
export { answeringSystem, lineageOf, type FinishedStage, type ReportedSystem } from './systems.js';
