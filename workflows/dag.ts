/**
 * The scheduler of a plan, without Temporal: a node starts once everything that it needs is done; nodes that need nothing of
 * each other run side by side. After the first failure nothing starts any more, what runs is awaited, and the failure is
 * thrown. Ready nodes start in the order of the plan, so that a replay sees the same order.
 */
import { NightstillError } from '../config/errors.js';

export interface DagNode {
  readonly id: string;
  readonly needs: readonly string[];
}

export interface DagEvents<Node extends DagNode, Result> {
  /** Does the work of a node, given the results of the nodes that it needs. */
  readonly run: (node: Node, needed: Readonly<Record<string, Result>>) => Promise<Result>;
  /** A node that will not run, because another one failed. */
  readonly skipped: (node: Node) => void;
}

/**
 * The results of all nodes, by id.
 * @throws plan-invalid when needs name no node or form a cycle; the error of the first node that failed
 */
export async function runDag<Node extends DagNode, Result>(
  nodes: readonly Node[],
  { run, skipped }: DagEvents<Node, Result>,
): Promise<Record<string, Result>> {
  const results: Record<string, Result> = {};
  const waiting = new Set(nodes);
  const running = new Map<string, Promise<void>>();
  const failures: unknown[] = [];

  const start = async (node: Node): Promise<void> => {
    try {
      results[node.id] = await run(node, select(results, node.needs));
    } catch (error) {
      failures.push(error);
    } finally {
      running.delete(node.id);
    }
  };

  for (;;) {
    for (const node of failures.length > 0 ? [] : [...waiting]) {
      if (!node.needs.every((need) => Object.hasOwn(results, need))) continue;
      waiting.delete(node);
      running.set(node.id, start(node));
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  for (const node of waiting) skipped(node);
  if (failures.length > 0) throw failures[0];
  if (waiting.size === 0) return results;
  const ids = [...waiting].map(({ id }) => id).join(', ');
  throw new NightstillError('plan-invalid', `expected needs that can be met, found none that can for ${ids}`);
}

const select = <Result>(results: Readonly<Record<string, Result>>, ids: readonly string[]): Record<string, Result> =>
  Object.fromEntries(Object.entries(results).filter(([id]) => ids.includes(id)));
