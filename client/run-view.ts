/** What can be seen of a run, live or over. Plain data: it goes through JSON as it is; times are milliseconds since 1970. */
import type { Progress } from '../config/child-protocol.js';
import type { NodeState } from '../config/plan.js';
import type { Role } from '../config/queues.js';

export type RunViewStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated';

export interface RunView {
  readonly runId: string;
  /** Name of the plan; empty until the file is resolved. */
  readonly plan: string;
  readonly status: RunViewStatus;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  readonly nodes: readonly NodeView[];
  /** What ended the run, where it was no success. */
  readonly failure?: FailureView;
  /** Queues that the run needs and nobody serves. */
  readonly missingWorkers: readonly MissingWorker[];
}

export interface NodeView extends NodeState {
  /** The identity of its work, once it was looked up. */
  readonly stageKey?: string;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  /** Of a node in flight. */
  readonly activity?: ActivityView;
}

/** How work in flight stands with Temporal, and what it said last. */
export interface ActivityView {
  /** `waiting` for a worker, `working`, `backing-off` until the next attempt, `ending` because it was asked to, `paused`. */
  readonly state: 'waiting' | 'working' | 'backing-off' | 'ending' | 'paused';
  /** 1 for the first. */
  readonly attempt: number;
  /** Identity of the worker that works, or did last. */
  readonly worker?: string;
  readonly startedAtMs?: number;
  readonly heartbeatAtMs?: number;
  readonly nextAttemptAtMs?: number;
  /** What the attempt before this one ended with. */
  readonly lastFailure?: FailureView;
  /** The last attempt that brought something durable. */
  readonly lastProgressAttempt?: number;
  readonly progress?: Progress;
}

export interface FailureView {
  /** One of docs/errors.md, or what Temporal says itself: `heartbeat-timeout`, `WorkerShutdown`. */
  readonly code: string;
  readonly message: string;
}

export interface MissingWorker {
  readonly queue: string;
  /** Absent for queues of others. */
  readonly role?: Role;
  /** What starts a worker for it. */
  readonly command?: string;
  /** Nodes that will need it; none where the run itself waits. */
  readonly nodes: readonly string[];
  /** Identity of the worker that was seen there last, minutes ago at most. */
  readonly lastWorker?: string;
}
