/** What teachers were asked and have answered, and what it cost. */
export { budgetOfPeriod, budgetOfRun, type Cap, type Period } from './periods.js';
export type { Call, GivenUp, Holder, Ledger, LedgerReport, LedgerRequest, NewCall, NewResponse } from './ledger.js';
export { openLedger } from './open-ledger.js';
export { costOfTokens, fromUsd, nanoUsd, sumOf, toUsd, type NanoUsd } from './money.js';
export {
  requestDigest,
  requestKey,
  teacherKey,
  type RequestKey,
  type TeacherIdentity,
  type TeacherRequest,
} from './request-key.js';
export { contentDigest, type Price, type RecordedResponse, type ResponseContent } from './response.js';
