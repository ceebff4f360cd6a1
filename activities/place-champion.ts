/**
 * Puts the champion into a plan when it is resolved: a stage that decides about a name is told which model serves there, and that model
 * is evaluated in the same way as the candidate. Where nothing serves, nothing is added.
 */
import type { ArtifactRef } from '../config/artifact.js';
import type { Plan, PlanNode } from '../config/plan.js';
import type { ChampionUse, StageKind } from '../config/stage-kind.js';
import { readAlias, type Alias, type ObjectStore } from '../storage/index.js';

/** Does any stage decide about the champion, or start from it? */
export const asksForChampion = ({ nodes }: Plan, kinds: readonly StageKind[]): boolean =>
  nodes.some((node) => node.fromChampion !== undefined || useOf(node, kinds) !== undefined);

/** @param store undefined for a store that does not exist yet */
export async function placeChampion(
  plan: Plan,
  kinds: readonly StageKind[],
  store: ObjectStore | undefined,
): Promise<Plan> {
  const begun = await beginWithChampion(plan, kinds, store);
  const nodes = [...begun];
  for (const node of begun) {
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

const standardAlias = 'champion';

/** A training with `start: champion` takes the champion in place of its input model; where nothing serves it starts as the plan says. */
async function beginWithChampion(
  { name: plan, nodes }: Plan,
  kinds: readonly StageKind[],
  store: ObjectStore | undefined,
): Promise<PlanNode[]> {
  if (store === undefined || !nodes.some(({ fromChampion }) => fromChampion)) return [...nodes];
  const use = nodes.map((node) => useOf(node, kinds)).find((found) => found !== undefined);
  const served = await readAlias(store, use?.name ?? plan, use?.alias ?? standardAlias);
  if (served === undefined) return [...nodes];
  const { model, trainedBy } = served.current;
  return nodes.map((node) => {
    if (node.fromChampion === undefined) return node;
    const { input } = node.fromChampion;
    const inputs = Object.fromEntries(Object.entries(node.inputs).filter(([name]) => name !== input));
    const artifacts = { ...node.artifacts, [input]: model };
    return { ...node, inputs, artifacts, fromChampion: { input, trainedBy } };
  });
}

function useOf({ uses, with: options }: PlanNode, kinds: readonly StageKind[]): ChampionUse | undefined {
  return kinds.find(({ kind }) => kind === uses)?.champion?.(options);
}

interface Measuring {
  readonly node: PlanNode;
  readonly output: string;
}

/** The node that evaluates the champion: that of the candidate with the model exchanged. */
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
