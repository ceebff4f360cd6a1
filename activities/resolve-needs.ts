/**
 * What joins the stages of a plan: every id is used once, needs name other stages, no stage waits for itself, and each input
 * comes from one output. Pure.
 */
import type { Json, JsonObject } from '../config/json.js';
import { nearest } from '../config/nearest.js';
import type { OutputOfNode, PlanNode } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { isJsonObject } from '../storage/index.js';
import type { PlanIssue } from './plan-issues.js';
import type { PlannedStage } from './planned-stage.js';

export function needIssues(stages: readonly PlannedStage[]): PlanIssue[] {
  const ids = stages.map(({ id }) => id);
  const twice = stages
    .filter(({ id }, index) => ids.indexOf(id) !== index)
    .map(({ id, place }) => ({ path: `${place}.id`, expected: 'an id of its own', found: id }));
  const unknown = stages.flatMap(({ needs, place }) =>
    needs.flatMap((need, index) =>
      ids.includes(need)
        ? []
        : [{ path: `${place}.needs[${index}]`, expected: `the id of a stage${nearest(need, ids)}`, found: need }],
    ),
  );
  return [...twice, ...unknown, ...cycleIssues(stages)];
}

/** One cycle for each part of the plan that has any, as the path that comes back to its beginning. */
function cycleIssues(stages: readonly PlannedStage[]): PlanIssue[] {
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const judged = new Set<string>();
  const cycleFrom = (id: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(id)) return [...way.slice(way.indexOf(id)), id];
    if (judged.has(id)) return undefined;
    judged.add(id);
    for (const need of byId.get(id)?.needs ?? []) {
      const cycle = cycleFrom(need, [...way, id]);
      if (cycle) return cycle;
    }
    return undefined;
  };
  return stages.flatMap(({ id }) => {
    const cycle = cycleFrom(id, []);
    if (!cycle) return [];
    const place = byId.get(cycle[0] ?? id)?.place ?? 'stages';
    return [{ path: `${place}.needs`, expected: 'needs without a cycle', found: cycle.join(' → ') }];
  });
}

/** An input is what the stage says, or else the one output of its kind among what it needs. */
export function resolveInputs(
  kind: StageKind,
  stage: PlannedStage,
  kindOfNode: (id: string) => StageKind | undefined,
): { readonly inputs: Readonly<Record<string, OutputOfNode>>; readonly issues: readonly PlanIssue[] } {
  const offered = [...new Set(stage.needs)].flatMap((node) =>
    Object.entries(kindOfNode(node)?.outputs ?? {}).map(([output, artifact]) => ({ node, output, artifact })),
  );
  const inputs: Record<string, OutputOfNode> = {};
  const issues = Object.keys(stage.inputs)
    .filter((name) => !Object.hasOwn(kind.inputs, name))
    .map((name) => unknownInput(kind, stage, name));
  for (const [name, { artifact, optional }] of Object.entries(kind.inputs)) {
    const reference = stage.inputs[name];
    const instead = Object.keys(stage.inputs).find((other) => kind.inputs[other]?.insteadOf === name);
    if (reference === undefined && (optional || instead !== undefined)) continue;
    if (instead !== undefined && reference !== undefined) {
      const expected = `none beside ${instead}, which stands in its place`;
      issues.push({ path: `${stage.place}.inputs.${name}`, expected, found: reference });
      continue;
    }
    const fitting = offered.filter((offer) => offer.artifact === artifact);
    const named = fitting.filter((offer) => reference === undefined || nameOf(offer) === reference);
    const [found, another] = named;
    if (found && !another) inputs[name] = { node: found.node, output: found.output };
    else
      issues.push({
        path: `${stage.place}.inputs.${name}`,
        expected: `one output of kind ${artifact} among the needs${reference === undefined ? '' : choices(fitting)}`,
        found: reference ?? (another ? named.map(nameOf).join(', ') : 'none'),
      });
  }
  return { inputs, issues };
}

/** Of some inputs exactly one must be given, by the options of the stage. */
export const choiceIssues = (
  kind: StageKind,
  options: JsonObject,
  { place }: PlannedStage,
  inputs: Readonly<Record<string, OutputOfNode>>,
): PlanIssue[] =>
  kind.oneInputOf(options).flatMap((names) => {
    const given = names.filter((name) => inputs[name] !== undefined);
    if (given.length === 1) return [];
    const expected = names.length === 1 ? `the input ${names[0]}` : `one of the inputs ${names.join(' and ')}`;
    return [{ path: `${place}.inputs`, expected, found: given.join(' and ') || 'none' }];
  });

/** What would fail hours later: two stages of which one makes what the other cannot use. */
export function disagreementIssues(
  { id, optionsPlace }: PlannedStage,
  nodes: readonly PlanNode[],
  kindOfNode: (id: string) => StageKind | undefined,
): PlanIssue[] {
  const node = nodes.find((other) => other.id === id);
  const kind = kindOfNode(id);
  if (node === undefined || kind === undefined) return [];
  const ofMakers = <Value>(valueOf: (maker: string) => Value | undefined): Record<string, Value> =>
    Object.fromEntries(
      Object.entries(node.inputs).flatMap(([input, { node: maker }]) => {
        const value = valueOf(maker);
        return value === undefined ? [] : [[input, value]];
      }),
    );
  const makers = ofMakers((maker) => nodes.find((other) => other.id === maker)?.with);
  const observed = ofMakers((maker) => kindOfNode(maker)?.knownObservations);
  return kind.disagreements(node.with, makers, observed).map(({ option, expected }) => ({
    path: `${optionsPlace}.${option}`,
    expected,
    found: shown(node.with[option]),
  }));
}

/** Objects are long, and of the reader's own. */
const shown = (value: Json = null): string => (isJsonObject(value) ? 'an object' : JSON.stringify(value));

function unknownInput(kind: StageKind, { place }: PlannedStage, name: string): PlanIssue {
  const known = Object.keys(kind.inputs);
  const expected = `an input of ${kind.kind}${nearest(name, known) || (known.length > 0 ? `: ${known.join(', ')}` : '')}`;
  return { path: `${place}.inputs.${name}`, expected, found: 'one that it does not take' };
}

const choices = (fitting: readonly OutputOfNode[]): string =>
  fitting.length > 0 ? ` (${fitting.map(nameOf).join(', ')})` : '';

const nameOf = ({ node, output }: OutputOfNode): string => `${node}.${output}`;
