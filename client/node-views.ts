/**
 * How the nodes of a run stand, told from its history and from the work that is pending. The workflow says the same of itself
 * to the query `state`; but a query needs a live worker. Pure.
 */
import type { Approval } from '../config/approval.js';
import { isOpen, type NodeStatus, type PlanNode } from '../config/plan.js';
import type { ActivityRecord, RunHistory } from './run-history.js';
import type { ActivityView, NodeView } from './run-view.js';

interface Approvals {
  readonly approvals: { of(node: string): Approval | undefined; wasLeft(node: string): boolean };
}

export function nodeViews(
  { plan, followed, end, approvals }: Pick<RunHistory, 'plan' | 'followed' | 'end'> & Approvals,
  pending: ReadonlyMap<string, ActivityView>,
): NodeView[] {
  const byId = new Map(followed.map((activity) => [activity.activityId, activity]));
  const views = new Map<string, NodeView>();
  for (const node of inOrder(plan?.plan.nodes ?? [])) {
    const ask = byId.get(`${node.id}:approval`);
    const approval = ask?.end === 'completed' ? approvals.of(node.id) : undefined;
    const lookup = byId.get(`${node.id}:lookup`);
    const stage = byId.get(node.id);
    const isLost = node.needs.some((id) => ['failed', 'skipped', 'cancelled'].includes(views.get(id)?.status ?? ''));
    const isOver = end !== undefined;
    const isAsked = !isOver && lookup === undefined && approval !== undefined && approval.decision === undefined;
    const isLeft = ask?.end === 'completed' && lookup === undefined && approvals.wasLeft(node.id);
    const status = isAsked
      ? 'awaiting-approval'
      : isLeft
        ? 'cancelled'
        : statusOf({ ask, lookup, stage }, isLost, isOver);
    const maker = Object.values(node.inputs).find(({ node: id }) => views.get(id)?.unchanged !== undefined)?.node;
    const view = { ...viewOf(node, status, { ask, lookup, stage }, pending), ...(approval && { approval }) };
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

/** In this order, each where it has come so far. */
interface NodeActivities {
  readonly ask: ActivityRecord | undefined;
  readonly lookup: ActivityRecord | undefined;
  readonly stage: ActivityRecord | undefined;
}

function statusOf({ ask, lookup, stage }: NodeActivities, isLost: boolean, isOver: boolean): NodeStatus {
  const last = stage ?? lookup ?? ask;
  if (last === undefined) return isLost || isOver ? 'skipped' : 'waiting';
  if (last.end === 'failed' || last.end === 'timed-out') return 'failed';
  if (last.end === 'cancelled') return 'cancelled';
  const isReused = lookup?.lookup && ('unchanged' in lookup.lookup || lookup.lookup.outputs);
  if (last.end === 'completed' && (stage || isReused)) return stage ? 'done' : 'reused';
  if (isOver) return 'cancelled';
  return stage || lookup?.end ? 'running' : 'looking-up';
}

function viewOf(
  { id, uses, needs, queue }: PlanNode,
  status: NodeStatus,
  { ask, lookup, stage }: NodeActivities,
  pending: ReadonlyMap<string, ActivityView>,
): NodeView {
  const failure = (stage ?? lookup ?? ask)?.failure;
  const why = status === 'failed' && failure ? `${failure.code}: ${failure.message}` : lookup?.lookup?.why;
  const activity = pending.get(id) ?? pending.get(`${id}:lookup`) ?? pending.get(`${id}:approval`);
  // How long a person took is not how long it worked.
  const begun = lookup ?? ask;
  const endedAtMs = isOpen(status) ? undefined : (stage ?? lookup ?? ask)?.endedAtMs;
  return {
    id,
    uses,
    needs,
    queue,
    status,
    ...(why !== undefined && { why }),
    ...(lookup?.lookup && ('unchanged' in lookup.lookup ? { unchanged: id } : { stageKey: lookup.lookup.stageKey })),
    ...(begun && { startedAtMs: begun.scheduledAtMs }),
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
