/**
 * What the gates of a plan can tell with the items that there are, known before anything runs: the evaluation set was imported already,
 * or is small enough to be counted. A margin that they do not resolve is refused then, before anything is trained or bought.
 */
import type { ArtifactRef } from '../config/artifact.js';
import { datasetSchema } from '../config/dataset-schema.js';
import { gateSchema } from '../config/gate-schema.js';
import type { Plan, PlanNode } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { countRows } from '../distillation/index.js';
import { resolveMargins, type Resolution } from '../evaluation/index.js';

type Made = PlanNode['inputs'][string];
/** What is there already of what a node makes. */
type Recorded = (made: Made) => Promise<ArtifactRef | undefined>;

/** Counting is part of the resolution of a plan: it may take seconds at most. */
const cheap = { bytes: 16 * 1024 * 1024, milliseconds: 10_000 };

/** @throws gate-margin-too-small */
export async function refuseUnresolvedMargins(plan: Plan, kinds: readonly StageKind[]): Promise<void> {
  for (const node of plan.nodes) await resolutionsOf(node, plan, kinds, () => Promise.resolve(undefined));
}

/**
 * Of a gate, one for each requirement with a margin; none where the number of items is not known.
 * @throws gate-margin-too-small
 */
export async function resolutionsOf(
  { inputs, with: options }: PlanNode,
  { nodes }: Plan,
  kinds: readonly StageKind[],
  recorded: Recorded,
): Promise<Resolution[]> {
  const gates = gateSchema.safeParse(options['gates']);
  const measuring = nodes.find(({ id }) => id === inputs['candidate']?.node);
  if (!gates.success || measuring === undefined || !gates.data.some((each) => 'notWorseThan' in each)) return [];
  const taken = kinds.find(({ kind }) => kind === measuring.uses)?.inputs ?? {};
  const set = Object.entries(measuring.inputs).find(([name]) => taken[name]?.artifact === 'dataset')?.[1];
  const rows = set && (await rowsOf(set, { nodes, kinds, recorded }));
  if (rows === undefined) return [];
  const { sample } = measuring.with;
  return resolveMargins(gates.data, typeof sample === 'number' ? Math.min(sample, rows) : rows);
}

interface Known {
  readonly nodes: readonly PlanNode[];
  readonly kinds: readonly StageKind[];
  readonly recorded: Recorded;
}

/** Of a dataset that is there, or is about to be imported; undefined where that is not known. */
export const rowsOf = async (made: Made, { nodes, kinds, recorded }: Known): Promise<number | undefined> =>
  (await recorded(made))?.rows ?? countImported(made, nodes, kinds);

/** Of what a stage of the user's own makes nothing is known before it ran. */
async function countImported(
  { node }: Made,
  nodes: readonly PlanNode[],
  kinds: readonly StageKind[],
): Promise<number | undefined> {
  const maker = nodes.find(({ id }) => id === node);
  const source = kinds.find(({ kind }) => kind === maker?.uses)?.rowsFrom;
  const dataset = datasetSchema.safeParse(source && maker?.with[source]);
  return dataset.success ? countRows(dataset.data, cheap) : undefined;
}
