/**
 * A plan: the resolved form of the file that a user writes. The workflow follows it without knowing any stage kind: every
 * node names its activity and its queue. Pure: workflows may import it.
 */
import type { Approval, ApprovalDecision, ApprovalNeed } from './approval.js';
import type { ArtifactRef, Outputs } from './artifact.js';
import type { JsonObject } from './json.js';
import type { Numerics } from './numerics.js';

export interface Plan {
  readonly name: string;
  /** URL of the object store that holds checkpoints, artifacts and results. */
  readonly store: string;
  readonly onFailure: FailurePolicy;
  readonly nodes: readonly PlanNode[];
}

/** What becomes of the others when a node fails: nothing new starts, or whatever does not need it is finished. */
export type FailurePolicy = 'fail-fast' | 'finish-others';

export interface PlanNode {
  readonly id: string;
  /** The stage kind. */
  readonly uses: string;
  /** Ids of the nodes that must be done first. */
  readonly needs: readonly string[];
  /** Where each input of the stage comes from, by the name that the kind gives it. */
  readonly inputs: Readonly<Record<string, OutputOfNode>>;
  /** Inputs that the store holds already, whoever made them. */
  readonly artifacts?: Readonly<Record<string, ArtifactRef>> | undefined;
  /** It begins with the model that serves, where one does. */
  readonly fromChampion?: FromChampion | undefined;
  /** Options of the stage kind, complete: defaults are filled in. */
  readonly with: JsonObject;
  /** Absent where no bit depends on it. */
  readonly numerics?: Numerics | undefined;
  /** A person is asked before it runs. */
  readonly approval?: ApprovalNeed | undefined;
  readonly activity: string;
  readonly queue: string;
  readonly timeouts: NodeTimeouts;
  readonly retry: NodeRetry;
}

/** A training that begins with what serves. */
export interface FromChampion {
  /** The input in whose place what serves stands. */
  readonly input: string;
  /** Key of the stage of this kind that what serves came from, as its promotion recorded it. */
  readonly trainedBy?: string | undefined;
}

export interface OutputOfNode {
  readonly node: string;
  readonly output: string;
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
  /** The day (UTC) that the run is of, where its stages depend on it. */
  readonly day?: string | undefined;
  /** Does the namespace have the search attributes of runs? */
  readonly searchable?: boolean | undefined;
}

/** What a lookup is asked, and what a stage is given. */
export interface NodeInput {
  readonly runId: string;
  /** Name of the plan: what ran under it before is what a reader compares with. */
  readonly plan: string;
  readonly store: string;
  readonly node: string;
  readonly uses: string;
  readonly queue: string;
  readonly with: JsonObject;
  readonly numerics?: Numerics | undefined;
  /** By the names of the stage kind. */
  readonly inputs: Readonly<Record<string, ArtifactRef>>;
  /** The stage keys of the nodes that made them. */
  readonly makers?: Readonly<Record<string, string>> | undefined;
  readonly fromChampion?: FromChampion | undefined;
  /** What a person decided, where one was asked. */
  readonly decision?: ApprovalDecision | undefined;
}

/** What is asked before a person is: is there anything to decide? */
export interface AskInput extends NodeInput {
  readonly approval: ApprovalNeed;
}

/** The identity of a node's work: `stageKey` is the digest (64 hex digits) of `preimage`. */
export interface StageIdentity {
  readonly stageKey: string;
  readonly preimage: JsonObject;
}

export interface StageLookedUp extends StageIdentity {
  /** The recorded outputs; absent when the stage has to run. */
  readonly outputs?: Outputs;
  /** Why it is reused or has to run, in a line: `temperature: 1 → 2`. */
  readonly why: string;
}

/** What serves already is what the stage would decide about: it has nothing to do, and makes nothing. */
export interface NothingToDecide {
  readonly unchanged: true;
  readonly why: string;
}

export type LookupResult = StageLookedUp | NothingToDecide;

export type StageInput = NodeInput & StageIdentity;

/** The task queues that a run needs, by node id. */
export interface WatchQueuesInput {
  readonly queues: Readonly<Record<string, string>>;
}

export interface StageOutput {
  readonly outputs: Outputs;
}

export interface NodeResult {
  /** None of a node that had nothing to decide. */
  readonly outputs: Outputs;
  /** Absent of a node that had nothing to decide. */
  readonly stageKey?: string | undefined;
  /** True when nothing ran: its result was recorded before, or it had nothing to decide. */
  readonly reused: boolean;
  /** Of a node that had nothing to decide, the id of the one that found so: itself, or one that it would have taken an input from. */
  readonly unchanged?: string | undefined;
}

/** What a run returns: the result of each node, by node id. */
export interface RunResult {
  readonly nodes: Readonly<Record<string, NodeResult>>;
}

export type NodeStatus =
  | 'waiting'
  | 'looking-up'
  /** Of a person. */
  | 'awaiting-approval'
  | 'running'
  | 'done'
  | 'reused'
  | 'failed'
  | 'skipped'
  | 'cancelled';

/** Is there still something to do? */
export const isOpen = (status: NodeStatus): boolean =>
  ['waiting', 'looking-up', 'awaiting-approval', 'running'].includes(status);

export interface NodeState {
  readonly id: string;
  readonly uses: string;
  readonly needs: readonly string[];
  readonly queue: string;
  readonly status: NodeStatus;
  /** Why it was reused or had to run, or the code and message that it failed with. */
  readonly why?: string | undefined;
  /** As of its result. */
  readonly unchanged?: string | undefined;
  /** What a person is asked, or was, with the decision. */
  readonly approval?: Approval | undefined;
}

/** Live state of a run, as the query `state` answers it. */
export interface RunState {
  /** Empty until the file is resolved. */
  readonly plan: string;
  readonly nodes: readonly NodeState[];
  /** Queues of the plan that no worker serves, as far as the run was told; it is told from its first stage on. */
  readonly unserved: readonly string[];
}

/** Opens the record of a run, which tells collection what is still needed. */
export interface RunStart {
  readonly runId: string;
  readonly plan: string;
  readonly store: string;
  readonly planDigest: string;
  readonly day?: string | undefined;
}

export interface RunEnd {
  readonly runId: string;
  readonly store: string;
  readonly outcome: RunOutcome;
}

/** How a run ended, as its record keeps it: what `status` says when no worker is there to be asked. */
export interface RunOutcome {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly nodes: readonly NodeState[];
  /** Code and message of the first failure. */
  readonly failure?: { readonly code: string; readonly message: string } | undefined;
}
