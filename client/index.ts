/** What other applications import: `nightstill/client`. No native code behind it. */
export { RunHandle } from './run-handle.js';
export { start, type StartRequest } from './start.js';
export type { ArtifactRef } from '../config/artifact.js';
export type { NodeResult, NodeStatus, RunResult, RunState } from '../config/plan.js';
