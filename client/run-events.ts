/** What happened to a run between two looks at it, as events of a kind each. Pure. */
import { isOpen, type RunResult } from '../config/plan.js';
import type { ActivityView, FailureView, MissingWorker, NodeView, RunView } from './run-view.js';

export type RunEvent =
  /** The file is resolved: these are the nodes. */
  | { readonly type: 'plan'; readonly plan: string; readonly nodes: readonly NodeView[] }
  /** A node has another status. */
  | { readonly type: 'node'; readonly node: NodeView }
  /** Work in flight has gone on, begun another attempt, or waits. */
  | { readonly type: 'progress'; readonly node: string; readonly activity: ActivityView }
  /** The run needs a worker that is not there. */
  | ({ readonly type: 'no-worker' } & MissingWorker)
  | { readonly type: 'worker-found'; readonly queue: string }
  /** The server does not answer; it is asked again until it does. */
  | { readonly type: 'reconnecting'; readonly failure: FailureView }
  | { readonly type: 'reconnected' }
  /** The last one: `result` where the run completed, `failure` where it did not. */
  | {
      readonly type: 'end';
      readonly status: Exclude<RunView['status'], 'running'>;
      readonly result?: RunResult;
      readonly failure?: FailureView;
    };

const nothing: Pick<RunView, 'plan' | 'nodes' | 'missingWorkers'> = { plan: '', nodes: [], missingWorkers: [] };

export function* changes(before: RunView | undefined, now: RunView): Generator<RunEvent> {
  const earlier = before ?? nothing;
  if (now.nodes.length > 0 && !haveSameNodes(earlier.nodes, now.nodes))
    yield { type: 'plan', plan: now.plan, nodes: now.nodes };
  for (const node of now.nodes)
    yield* nodeChanges(earlier.nodes.find(({ id }) => id === node.id) ?? unseen(node), node);
  for (const { queue, nodes } of earlier.missingWorkers)
    if (!now.missingWorkers.some((missing) => missing.queue === queue) && isNeeded(nodes, now))
      yield { type: 'worker-found', queue };
  for (const missing of now.missingWorkers)
    if (!earlier.missingWorkers.some(({ queue }) => queue === missing.queue)) yield { type: 'no-worker', ...missing };
}

/** Every node begins by waiting: of a short run, which may be over at the first look, no end of a node is left untold. */
const unseen = (node: NodeView): NodeView => ({ ...node, status: 'waiting' });

/** A node that has another status says so with all that is known of it. */
function* nodeChanges(before: NodeView, now: NodeView): Generator<RunEvent> {
  if (before.status !== now.status) yield { type: 'node', node: now };
  else if (now.activity && JSON.stringify(before.activity) !== JSON.stringify(now.activity))
    yield { type: 'progress', node: now.id, activity: now.activity };
}

/** A queue that nobody needs any more has not found a worker. */
const isNeeded = (nodes: readonly string[], { status, nodes: all }: RunView): boolean =>
  status === 'running' && (nodes.length === 0 || all.some(({ id, status: its }) => nodes.includes(id) && isOpen(its)));

const haveSameNodes = (some: readonly NodeView[], others: readonly NodeView[]): boolean =>
  some.length === others.length && some.every(({ id }, index) => others[index]?.id === id);
