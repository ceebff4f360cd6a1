/** Teaching: datasets and models. */
export { countRows } from './count-rows.js';
export { readDatasetRows } from './dataset-rows.js';
export { datasetIdentitySchema, openDataset } from './dataset-files.js';
export { openDatasetSource, readUnchanged, sourceIdentitySchema, type DatasetSource } from './dataset-source.js';
export { importDataset } from './import-dataset.js';
export { importModelDirectory } from './import-model.js';
export { fetchModel, identifyModelDirectory, readModelFacts, storeModelDirectory } from './model-artifact.js';
export { modelIdentitySchema } from './model-source.js';
export {
  budgetOfPeriod,
  capsOf,
  fromUsd,
  openLedger,
  Spending,
  sumOf,
  takenOf,
  toUsd,
  usdOf,
  type Ledger,
  type LedgerReport,
  type NanoUsd,
} from './responses/index.js';
export { answerPrompts } from './teachers/answer-prompts.js';
export { confirmScoring, scoringCost } from './teachers/confirm-scoring.js';
export { readAnswers } from './teachers/recorded-answers.js';
export { askCanaries, driftIdentityOf, type CanaryTeacher } from './teachers/canary.js';
export { openProbedClient } from './teachers/probed-client.js';
