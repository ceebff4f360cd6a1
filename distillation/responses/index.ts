/** What teachers were asked and have answered, and what it cost. */
export { takenOf } from './budget.js';
export { budgetOfPeriod, budgetOfRun, capsOf, type Cap } from './periods.js';
export type { Call, GivenUp, Ledger, LedgerReport, LedgerRequest, NewResponse } from './ledger.js';
export { canaryBaselineKey } from './paths.js';
export { openLedger } from './open-ledger.js';
export { costOfTokens, fromUsd, nanoUsd, sumOf, toUsd, type NanoUsd } from './money.js';
export { requestDigest, requestKey, teacherKey, type TeacherIdentity } from './request-key.js';
export { contentDigest, type RecordedResponse } from './response.js';
export { Spending, spentSchema, usdOf, type Spent } from './spending.js';
