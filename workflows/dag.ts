/**
 * The scheduler of a plan, without Temporal: a node starts once everything that it needs is done; nodes that need nothing of
 * each other run side by side. Ready nodes start in the order of the plan, so that a replay sees the same order. A failed node
 * closes the nodes that depend on it (`finish-others`), or all that have not started, and then what runs is asked to end
 * (`fail-fast`). What has started is always awaited.
 */
import { checkNeeds, type NeedyNode } from '../config/needs.js';
import type { FailurePolicy } from '../config/plan.js';

export interface DagWork<Node extends NeedyNode, Result> {
  /** Does the work of a node, given the results of the nodes that it needs. */
  readonly run: (node: Node, needed: Readonly<Record<string, Result>>) => Promise<Result>;
  /** A node that will not run. */
  readonly skipped: (node: Node) => void;
  /** Asks everything that runs to end: called once, on the failure that closes the plan. */
  readonly stop: () => void;
  readonly onFailure: FailurePolicy;
  /** An error that closes the whole plan under any policy: somebody asked it to end. */
  readonly isCancellation: (error: unknown) => boolean;
}

export interface DagEnd<Result> {
  readonly results: Readonly<Record<string, Result>>;
  /** In the order in which the nodes failed. */
  readonly failures: readonly unknown[];
}

/** @throws plan-invalid when ids or needs cannot be followed; nothing has started then */
export async function runDag<Node extends NeedyNode, Result>(
  nodes: readonly Node[],
  { run, skipped, stop, onFailure, isCancellation }: DagWork<Node, Result>,
): Promise<DagEnd<Result>> {
  checkNeeds(nodes, 'nodes');
  const results: Record<string, Result> = {};
  const failures: unknown[] = [];
  const waiting = new Set(nodes);
  const running = new Map<string, Promise<void>>();
  /** Failed, or closed by a failure. */
  const closed = new Set<string>();
  let stopped = false;

  const start = async (node: Node): Promise<void> => {
    try {
      results[node.id] = await run(node, select(results, node.needs));
    } catch (error) {
      failures.push(error);
      closed.add(node.id);
      if (!stopped && (onFailure === 'fail-fast' || isCancellation(error))) {
        stopped = true;
        stop();
      }
    }
  };

  const close = (node: Node): void => {
    waiting.delete(node);
    closed.add(node.id);
    skipped(node);
  };

  for (;;) {
    for (const node of closedBy(waiting, closed, stopped)) close(node);
    for (const node of [...waiting].filter(({ needs }) => needs.every((need) => Object.hasOwn(results, need)))) {
      waiting.delete(node);
      running.set(
        node.id,
        start(node).finally(() => running.delete(node.id)),
      );
    }
    if (running.size === 0) return { results, failures };
    await Promise.race(running.values());
  }
}

/** The nodes that will not run any more, in the order of the plan. */
function closedBy<Node extends NeedyNode>(
  waiting: ReadonlySet<Node>,
  closed: ReadonlySet<string>,
  everything: boolean,
): Node[] {
  if (everything) return [...waiting];
  const lost = new Set(closed);
  for (let before = -1; before !== lost.size;) {
    before = lost.size;
    for (const { id, needs } of waiting) if (needs.some((need) => lost.has(need))) lost.add(id);
  }
  return [...waiting].filter(({ id }) => lost.has(id));
}

const select = <Result>(results: Readonly<Record<string, Result>>, ids: readonly string[]): Record<string, Result> =>
  Object.fromEntries(Object.entries(results).filter(([id]) => ids.includes(id)));
