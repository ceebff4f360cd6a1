/** A node that somebody names of a run, which its plan may not have. */
import { NightstillError } from './errors.js';
import { nearest } from './nearest.js';

/**
 * @param nodes all of the plan; none where it is not known
 * @throws node-missing
 */
export function checkNode(runId: string, node: string | undefined, nodes: readonly { readonly id: string }[]): void {
  const ids = nodes.map(({ id }) => id);
  if (node === undefined || ids.length === 0 || ids.includes(node)) return;
  throw new NightstillError(
    'node-missing',
    `run ${runId}: expected a node of its plan${nearest(node, ids) || `: ${ids.join(', ')}`}, found "${node}"`,
    { details: { runId, node } },
  );
}
