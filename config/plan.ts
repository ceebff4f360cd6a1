/**
 * A plan: the resolved form of the file that a user writes. The workflow follows it without knowing any stage kind: every
 * node names its activity and its queue. Pure: workflows may import it.
 */
import type { Outputs } from './artifact.js';
import type { JsonObject } from './json.js';

export interface Plan {
  readonly name: string;
  /** URL of the object store that holds checkpoints, artifacts and results. */
  readonly store: string;
  readonly nodes: readonly PlanNode[];
}

export interface PlanNode {
  readonly id: string;
  /** The stage kind. */
  readonly uses: string;
  /** Ids of the nodes whose outputs this one takes. */
  readonly needs: readonly string[];
  /** Options of the stage kind, complete: defaults are filled in. */
  readonly with: JsonObject;
  readonly activity: string;
  readonly queue: string;
  readonly timeouts: NodeTimeouts;
  readonly retry: NodeRetry;
}

export interface NodeTimeouts {
  /** One attempt may take this long. */
  readonly startToCloseMs: number;
  /** A worker that is silent for this long is taken for dead. */
  readonly heartbeatMs: number;
}

export interface NodeRetry {
  readonly initialIntervalMs: number;
  readonly backoffCoefficient: number;
  readonly maximumIntervalMs: number;
}

/** What the workflow `distill` is started with. `file` is the user's file as data, not yet checked. */
export interface DistillInput {
  readonly file: unknown;
}

export interface ResolvedPlan {
  readonly plan: Plan;
  /** Digest of the file's canonical JSON: two runs with the same id must agree on it. */
  readonly planDigest: string;
}

/** What a lookup is asked, and what a stage is given. */
export interface NodeInput {
  readonly runId: string;
  readonly store: string;
  readonly node: string;
  readonly uses: string;
  readonly with: JsonObject;
  /** Outputs of the nodes it needs, by node id. */
  readonly inputs: Readonly<Record<string, Outputs>>;
}

/** The identity of a node's work: `stageKey` is the digest (64 hex digits) of `preimage`. */
export interface StageIdentity {
  readonly stageKey: string;
  readonly preimage: JsonObject;
}

export interface LookupResult extends StageIdentity {
  /** The recorded outputs; absent when the stage has to run. */
  readonly outputs?: Outputs;
}

export interface StageInput extends NodeInput, StageIdentity {}

export interface StageOutput {
  readonly outputs: Outputs;
}

export interface NodeResult {
  readonly outputs: Outputs;
  readonly stageKey: string;
  /** True when the result was recorded before, and nothing ran. */
  readonly reused: boolean;
}

/** What a run returns: the result of each node, by node id. */
export interface RunResult {
  readonly nodes: Readonly<Record<string, NodeResult>>;
}

export type NodeStatus = 'waiting' | 'looking-up' | 'running' | 'done' | 'reused' | 'failed' | 'skipped' | 'cancelled';

/** Live state of a run, as the query `state` answers it. */
export interface RunState {
  readonly nodes: readonly { readonly id: string; readonly uses: string; readonly status: NodeStatus }[];
}

/** Opens the record of a run, which tells collection what is still needed. */
export interface RunStart {
  readonly runId: string;
  readonly store: string;
  readonly planDigest: string;
}

export interface RunEnd {
  readonly runId: string;
  readonly store: string;
  readonly outcome: 'completed' | 'failed' | 'cancelled';
}
