/** What teachers were asked and have answered, and what it cost. */
export { budgetOfPeriod, budgetOfRun, type Cap, type Period } from './budget.js';
export type {
  Call,
  GivenUp,
  Holder,
  Ledger,
  LedgerReport,
  LedgerRequest,
  NewCall,
  NewResponse,
  OpenLedger,
} from './ledger.js';
export { costOfTokens, fromUsd, nanoUsd, sumOf, toUsd, type NanoUsd } from './money.js';
export {
  requestDigest,
  requestKey,
  type RequestKey,
  type TeacherIdentity,
  type TeacherRequest,
} from './request-key.js';
export { contentDigest, type Price, type RecordedResponse, type ResponseContent } from './response.js';
