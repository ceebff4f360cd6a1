/**
 * What the gates of a plan can tell with the items that there are, known before anything runs: the evaluation set was imported already,
 * or is small enough to be gone through. A margin that they do not resolve, fewer of them than a requirement wants, and one without a
 * reference are refused then, before anything is trained or bought.
 */
import { gateSchema } from '../config/gate-schema.js';
import type { Plan, PlanNode } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { resolveMargins, type Resolution } from '../evaluation/index.js';
import { PlannedRows } from './planned-rows.js';

/** @throws gate-margin-too-small, gate-items-too-few, evaluation-invalid */
export async function refuseUndecidable({ nodes }: Plan, kinds: readonly StageKind[]): Promise<void> {
  const planned = new PlannedRows(nodes, kinds);
  for (const node of nodes) {
    await planned.refuseWithoutReference(node);
    await resolutionsOf(node, nodes, planned);
  }
}

/**
 * Of a gate, one for each requirement with a margin; none where the number of items is not known.
 * @throws gate-margin-too-small, gate-items-too-few
 */
export async function resolutionsOf(
  { inputs, with: options }: PlanNode,
  nodes: readonly PlanNode[],
  planned: PlannedRows,
): Promise<Resolution[]> {
  const gates = gateSchema.safeParse(options['gates']);
  const measuring = nodes.find(({ id }) => id === inputs['candidate']?.node);
  if (!gates.success || measuring === undefined) return [];
  const set = planned.setOf(measuring);
  const rows = set && (await planned.rowsOf(set));
  if (rows === undefined) return [];
  const { sample } = measuring.with;
  return resolveMargins(gates.data, typeof sample === 'number' ? Math.min(sample, rows) : rows);
}
