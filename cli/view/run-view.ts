/**
 * What is known of a run at a moment, as the command line shows it, and what changed between two moments. Pure: time is handed
 * in, nothing is asked.
 */
import type { NodeState, RunState } from '../../config/plan.js';
import type { ProgressFacts } from '../../config/child-protocol.js';

/** What the stage in flight said last. */
export interface Activity {
  readonly phase?: string;
  readonly facts?: ProgressFacts;
  readonly durableStep?: number;
  readonly attempt: number;
  /** Code and message of the attempt before. */
  readonly lastFailure?: string;
}

export interface NodeView extends NodeState {
  readonly activity?: Activity | undefined;
  /** When it was first seen at work, and when it was first seen to be over. */
  readonly startedAtMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  /** Where the phase stood when it was first seen: what the speed is measured from. */
  readonly since?: { readonly phase: string; readonly done: number; readonly atMs: number } | undefined;
}

export type RunStatus = 'starting' | 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated';

export interface RunView {
  readonly runId: string;
  readonly plan: string;
  readonly status: RunStatus;
  readonly nodes: readonly NodeView[];
  /** Something that keeps the run from going on, in a sentence. */
  readonly notice?: string | undefined;
  /** Code and message of what ended it. */
  readonly failure?: string | undefined;
}

export interface Sighting {
  readonly status: RunStatus;
  readonly state: RunState;
  /** Of stages in flight, by node id. */
  readonly activities: Readonly<Record<string, Activity>>;
  readonly notice?: string | undefined;
  readonly failure?: string | undefined;
}

export const isOver = ({ status }: Pick<RunView, 'status'>): boolean => status !== 'starting' && status !== 'running';

const ended: readonly NodeState['status'][] = ['done', 'reused', 'failed', 'skipped', 'cancelled'];
export const hasEnded = ({ status }: Pick<NodeState, 'status'>): boolean => ended.includes(status);

export const startOfView = (runId: string): RunView => ({ runId, plan: '', status: 'starting', nodes: [] });

export function advance(view: RunView, sighting: Sighting, nowMs: number): RunView {
  const { status, state, activities, notice, failure } = sighting;
  const nodes = state.nodes.map((node) =>
    advanceNode(
      view.nodes.find(({ id }) => id === node.id),
      node,
      activities[node.id],
      nowMs,
    ),
  );
  // A run that nobody can be asked about shows what was seen last.
  return {
    runId: view.runId,
    plan: state.plan || view.plan,
    status,
    nodes: nodes.length > 0 ? nodes : view.nodes,
    notice,
    failure,
  };
}

function advanceNode(
  before: NodeView | undefined,
  node: NodeState,
  activity: Activity | undefined,
  nowMs: number,
): NodeView {
  const isOverNow = hasEnded(node);
  const shown = node.status === 'running' ? (activity ?? before?.activity) : undefined;
  return {
    ...node,
    activity: shown,
    startedAtMs: before?.startedAtMs ?? (node.status === 'running' ? nowMs : undefined),
    endedAtMs: isOverNow ? (before?.endedAtMs ?? (before ? nowMs : undefined)) : undefined,
    since: sinceOf(before, shown, nowMs),
  };
}

function sinceOf(before: NodeView | undefined, activity: Activity | undefined, atMs: number): NodeView['since'] {
  const { phase, facts } = activity ?? {};
  if (phase === undefined || facts?.done === undefined) return undefined;
  const { since } = before ?? {};
  // A new attempt begins behind where the one before stood.
  return since?.phase === phase && since.done <= facts.done ? since : { phase, done: facts.done, atMs };
}

/** Milliseconds until the phase is done, at the speed seen so far; undefined before there is one. */
export function timeLeftMs({ activity, since }: NodeView, nowMs: number): number | undefined {
  const { done, of } = activity?.facts ?? {};
  if (since === undefined || done === undefined || of === undefined) return undefined;
  const perMs = (done - since.done) / (nowMs - since.atMs);
  return perMs > 0 && done <= of ? (of - done) / perMs : undefined;
}
