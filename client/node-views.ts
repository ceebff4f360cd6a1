/**
 * How the nodes of a run stand, told from its history and from the work that is pending. The workflow says the same of itself
 * to the query `state`; but a query needs a live worker. Pure.
 */
import type { NodeStatus, PlanNode } from '../config/plan.js';
import type { ActivityRecord, RunHistory } from './run-history.js';
import type { ActivityView, NodeView } from './run-view.js';

/** Is there still something to do? */
export const isOpen = (status: NodeStatus): boolean => ['waiting', 'looking-up', 'running'].includes(status);

export function nodeViews(
  { plan, activities, end }: Pick<RunHistory, 'plan' | 'activities' | 'end'>,
  pending: ReadonlyMap<string, ActivityView>,
): NodeView[] {
  const byId = new Map(activities.map((activity) => [activity.activityId, activity]));
  const views = new Map<string, NodeView>();
  for (const node of inOrder(plan?.plan.nodes ?? [])) {
    const lookup = byId.get(`${node.id}:lookup`);
    const stage = sinceLookup(byId.get(node.id), lookup);
    const isLost = node.needs.some((id) => ['failed', 'skipped', 'cancelled'].includes(views.get(id)?.status ?? ''));
    const status = statusOf(lookup, stage, isLost, end !== undefined);
    const maker = Object.values(node.inputs).find(({ node: id }) => views.get(id)?.unchanged !== undefined)?.node;
    const view = viewOf(node, status, lookup, stage, pending);
    views.set(node.id, maker === undefined ? view : leftView(view, maker, views.get(maker)?.unchanged));
  }
  return (plan?.plan.nodes ?? []).flatMap(({ id }) => views.get(id) ?? []);
}

/** A node that takes what another had no reason to make is not even looked up. */
const leftView = (view: NodeView, maker: string, unchanged: string | undefined): NodeView => ({
  ...view,
  status: 'reused',
  why: `unchanged: ${maker} had nothing to decide`,
  unchanged,
});

/** A plan that is followed anew looks its nodes up again: what a stage did before tells nothing of now. */
const sinceLookup = (stage: ActivityRecord | undefined, lookup: ActivityRecord | undefined) =>
  stage && lookup && stage.scheduledAtMs < lookup.scheduledAtMs ? undefined : stage;

function statusOf(
  lookup: ActivityRecord | undefined,
  stage: ActivityRecord | undefined,
  isLost: boolean,
  isOver: boolean,
): NodeStatus {
  const last = stage ?? lookup;
  if (last === undefined) return isLost || isOver ? 'skipped' : 'waiting';
  if (last.end === 'failed' || last.end === 'timed-out') return 'failed';
  if (last.end === 'cancelled') return 'cancelled';
  const isReused = lookup?.lookup && ('unchanged' in lookup.lookup || lookup.lookup.outputs);
  if (last.end === 'completed' && (stage || isReused)) return stage ? 'done' : 'reused';
  if (isOver) return 'cancelled';
  return last.end === undefined && !stage ? 'looking-up' : 'running';
}

function viewOf(
  { id, uses, needs, queue }: PlanNode,
  status: NodeStatus,
  lookup: ActivityRecord | undefined,
  stage: ActivityRecord | undefined,
  pending: ReadonlyMap<string, ActivityView>,
): NodeView {
  const failure = stage?.failure ?? lookup?.failure;
  const why = status === 'failed' && failure ? `${failure.code}: ${failure.message}` : lookup?.lookup?.why;
  const activity = pending.get(id) ?? pending.get(`${id}:lookup`);
  const endedAtMs = isOpen(status) ? undefined : (stage ?? lookup)?.endedAtMs;
  return {
    id,
    uses,
    needs,
    queue,
    status,
    ...(why !== undefined && { why }),
    ...(lookup?.lookup && ('unchanged' in lookup.lookup ? { unchanged: id } : { stageKey: lookup.lookup.stageKey })),
    ...(lookup && { startedAtMs: lookup.scheduledAtMs }),
    ...(endedAtMs !== undefined && { endedAtMs }),
    ...(activity && { activity }),
  };
}

/** Every node after what it needs; a plan has no cycle. */
function inOrder(nodes: readonly PlanNode[]): PlanNode[] {
  const ordered: PlanNode[] = [];
  const placed = new Set<string>();
  const place = (node: PlanNode): void => {
    if (placed.has(node.id)) return;
    placed.add(node.id);
    for (const need of node.needs) {
      const needed = nodes.find(({ id }) => id === need);
      if (needed) place(needed);
    }
    ordered.push(node);
  };
  for (const node of nodes) place(node);
  return ordered;
}
