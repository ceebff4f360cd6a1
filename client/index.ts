/** What other applications import: `nightstill/client`. No native code behind it. */
export { approve, openApprovals, reject, type DecideRequest } from './approve.js';
export { explain, type Explanation, type ExplainRequest } from './explain.js';
export {
  findModel,
  listModels,
  promoteModel,
  rollbackModel,
  type ModelAlias,
  type ModelName,
  type MoveRequest,
  type PromoteRequest,
  type ServedModel,
} from './models.js';
export { listRuns, type ListedRun, type ListRunsRequest } from './list-runs.js';
export { planDigestOf } from './plan-digest.js';
export {
  report,
  type GateVerdict,
  type PromotionMade,
  type ReportedArtifact,
  type ReportRequest,
  type RunReport,
  type ServingName,
} from './report.js';
export type { PaidStage } from './run-prices.js';
export type { RunEvent } from './run-events.js';
export { RunHandle } from './run-handle.js';
export { runLog, type RunLogEntry } from './run-log.js';
export type { RunReference } from './run-reader.js';
export type { ActivityView, FailureView, MissingWorker, NodeView, RunView, RunViewStatus } from './run-view.js';
export {
  describeSchedule,
  listSchedules,
  pauseSchedule,
  removeSchedule,
  resumeSchedule,
  upsertSchedule,
  type UpsertedSchedule,
  type UpsertRequest,
} from './schedules.js';
export type { NightView, ScheduleReference, ScheduleView } from './schedule-view.js';
export { triggerSchedule } from './trigger-schedule.js';
export { start, type StartRequest } from './start.js';
export { status, type StatusRequest } from './status.js';
export { watch, type WatchOptions } from './watch.js';
export type { Approval, ApprovalDecision, ApprovalScore } from '../config/approval.js';
export type { ArtifactRef } from '../config/artifact.js';
export type { Progress } from '../config/child-protocol.js';
export type {
  CalendarInput,
  NumericsInput,
  PlanFileInput,
  ScheduleInput,
  StageOfFileInput,
} from '../config/plan-file.js';
export type { NodeResult, NodeStatus, RunResult, RunState } from '../config/plan.js';
