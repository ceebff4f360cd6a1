/**
 * What serves now enters a plan when it is resolved: a stage that decides about a name is told what serves there, and that model is
 * measured as its own candidate is. Where nothing serves, nothing is added.
 */
import type { ArtifactRef } from '../config/artifact.js';
import type { Plan, PlanNode } from '../config/plan.js';
import type { ChampionUse, StageKind } from '../config/stage-kind.js';
import { readAlias, type Alias, type ObjectStore } from '../storage/index.js';

/** Does any stage of it decide about what serves? */
export const asksForChampion = ({ nodes }: Plan, kinds: readonly StageKind[]): boolean =>
  nodes.some((node) => useOf(node, kinds) !== undefined);

/** @param store undefined: one that nobody has written to */
export async function placeChampion(
  plan: Plan,
  kinds: readonly StageKind[],
  store: ObjectStore | undefined,
): Promise<Plan> {
  const nodes: PlanNode[] = [...plan.nodes];
  for (const node of plan.nodes) {
    const use = useOf(node, kinds);
    if (use === undefined) continue;
    const served = store && (await readAlias(store, use.name, use.alias));
    const champion = served ? { counter: served.counter, digest: served.current.model.digest } : null;
    const told: PlanNode = { ...node, with: { ...node.with, champion } };
    const measuring = served && measuringNode(told, use, nodes, kinds, served);
    const placed = measuring && use.measured ? withInput(told, use.measured.input, measuring) : told;
    nodes.splice(nodes.indexOf(node), 1, ...(measuring ? [measuring.node] : []), placed);
  }
  return { ...plan, nodes };
}

function useOf({ uses, with: options }: PlanNode, kinds: readonly StageKind[]): ChampionUse | undefined {
  return kinds.find(({ kind }) => kind === uses)?.champion?.(options);
}

interface Measuring {
  readonly node: PlanNode;
  readonly output: string;
}

/** As the candidate is measured: the same stage with the same options, and the model that serves in place of the other. */
function measuringNode(
  deciding: PlanNode,
  { measured }: ChampionUse,
  nodes: readonly PlanNode[],
  kinds: readonly StageKind[],
  { current }: Alias,
): Measuring | undefined {
  const like = measured && deciding.inputs[measured.like];
  const maker = like && nodes.find(({ id }) => id === like.node);
  if (!measured || !like || !maker || deciding.inputs[measured.input]) return undefined;
  const taken = kinds.find(({ kind }) => kind === maker.uses)?.inputs ?? {};
  const model = Object.keys(maker.inputs).find((name) => taken[name]?.artifact === 'model');
  if (model === undefined) return undefined;
  const inputs = Object.fromEntries(Object.entries(maker.inputs).filter(([name]) => name !== model));
  const needs = [...new Set(Object.values(inputs).map(({ node }) => node))];
  const artifacts: Record<string, ArtifactRef> = { ...maker.artifacts, [model]: current.model };
  return {
    node: { ...maker, id: freeId(`${maker.id}-champion`, nodes), needs, inputs, artifacts },
    output: like.output,
  };
}

const withInput = (node: PlanNode, input: string, { node: { id }, output }: Measuring): PlanNode => ({
  ...node,
  needs: [...node.needs, id],
  inputs: { ...node.inputs, [input]: { node: id, output } },
});

function freeId(wanted: string, nodes: readonly PlanNode[]): string {
  const taken = new Set(nodes.map(({ id }) => id));
  let id = wanted;
  for (let number = 2; taken.has(id); number += 1) id = `${wanted}-${number}`;
  return id;
}
