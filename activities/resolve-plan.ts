/**
 * From the content of a user's file to a plan: shape, stage kinds, options, needs. Nothing outside is asked. Errors name the
 * path in the file, what was expected there and the type of what was found, never a value: a plan may hold what must not
 * stand in a history.
 */
import type { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import type { JsonObject } from '../config/json.js';
import type { Numerics } from '../config/numerics.js';
import { planFileSchema, type PlanFile, type StageOfFile } from '../config/plan-schema.js';
import type { OutputOfNode, PlanNode, ResolvedPlan } from '../config/plan.js';
import { queueName } from '../config/queues.js';
import type { StageKind } from '../config/stage-kind.js';
import { canonicalJson, digestOf, type Json } from '../storage/index.js';
import { standardStages } from './standard-stages.js';

export interface PlanRules {
  readonly kinds: readonly StageKind[];
  readonly queuePrefix: string;
}

/** @throws plan-invalid */
export function resolvePlan(file: unknown, rules: PlanRules): ResolvedPlan {
  const plan = parse(planFileSchema, file, '');
  const stages = plan.stages ?? standardStages(plan);
  checkNeeds(stages);
  const nodes = stages.map((stage, index) => resolveNode(plan, stage, `stages[${index}]`, rules));
  for (const [index, { id, uses, needs, inputs }] of stages.entries()) {
    const kind = rules.kinds.find((known) => known.kind === uses);
    const node = nodes.find((candidate) => candidate.id === id);
    if (kind && node)
      Object.assign(node, { inputs: resolveInputs(kind, needs, inputs, nodes, rules, `stages[${index}]`) });
  }
  const { name, store, onFailure } = plan;
  return { plan: { name, store, onFailure, nodes }, planDigest: digestOf(canonicalJson(file as Json)) };
}

function resolveNode(plan: PlanFile, stage: StageOfFile, path: string, { kinds, queuePrefix }: PlanRules): PlanNode {
  const kind = kinds.find((known) => known.kind === stage.uses);
  if (kind === undefined)
    throw invalid(`${path}.uses`, `one of ${kinds.map((known) => known.kind).join(', ')}`, stage.uses);
  const options = parse(kind.options, { ...sharedOptions(kind, plan), ...stage.with }, `${path}.with`);
  return {
    id: stage.id,
    uses: kind.kind,
    needs: stage.needs,
    inputs: {},
    with: options,
    ...(kind.numerics && { numerics: numericsOf(plan) }),
    activity: kind.activity,
    queue: queueName(kind.role(options), queuePrefix),
    timeouts: { ...kind.timeouts, ...given(stage.timeouts) },
    retry: { ...kind.retry, ...given(stage.retry) },
  };
}

/** What the top of the file says for all stages. */
function sharedOptions({ shared }: StageKind, plan: PlanFile): JsonObject {
  const top = plan as unknown as JsonObject;
  return Object.fromEntries(
    Object.entries(shared).flatMap(([option, name]) => (top[name] === undefined ? [] : [[option, top[name]]])),
  );
}

const numericsOf = ({ numerics }: PlanFile): Numerics =>
  numerics.runner === 'wasm' ? { ...numerics, tensorflow: null } : numerics;

/** An input is what the stage says, or else the one output of its kind among what it needs. */
function resolveInputs(
  kind: StageKind,
  needs: readonly string[],
  said: Readonly<Record<string, string>>,
  nodes: readonly PlanNode[],
  { kinds }: PlanRules,
  path: string,
): Record<string, OutputOfNode> {
  const offered = needs.flatMap((node) => {
    const uses = nodes.find(({ id }) => id === node)?.uses;
    const outputs = kinds.find((known) => known.kind === uses)?.outputs ?? {};
    return Object.entries(outputs).map(([output, artifact]) => ({ node, output, artifact }));
  });
  const inputs: Record<string, OutputOfNode> = {};
  for (const [name, { artifact, optional }] of Object.entries(kind.inputs)) {
    const reference = said[name];
    const candidates = offered.filter((offer) =>
      reference === undefined
        ? offer.artifact === artifact && !optional
        : `${offer.node}.${offer.output}` === reference && offer.artifact === artifact,
    );
    const [found, another] = candidates;
    if (found === undefined && reference === undefined && optional) continue;
    if (found === undefined || another !== undefined)
      throw invalid(
        `${path}.inputs.${name}`,
        `one output of kind ${artifact} among the needs`,
        found === undefined
          ? (reference ?? 'none')
          : candidates.map(({ node, output }) => `${node}.${output}`).join(', '),
      );
    inputs[name] = { node: found.node, output: found.output };
  }
  return inputs;
}

function parse<Output>(schema: z.ZodType<Output>, value: unknown, path: string): Output {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.reduce<string>(step, path) || 'the plan';
  throw invalid(place, issue?.message ?? 'a valid value', describe(issue?.input));
}

const step = (path: string, key: PropertyKey): string =>
  typeof key === 'number' ? `${path}[${key}]` : path === '' ? String(key) : `${path}.${String(key)}`;

/** Ids are used once, needs name other stages, and no stage waits for itself. */
function checkNeeds(stages: readonly StageOfFile[]): void {
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  for (const [index, { id, needs }] of stages.entries()) {
    if (stages.findIndex((other) => other.id === id) !== index)
      throw invalid(`stages[${index}].id`, 'an id of its own', id);
    const unknown = needs.find((need) => !byId.has(need));
    if (unknown !== undefined)
      throw invalid(`stages[${index}].needs`, `ids of ${[...byId.keys()].join(', ')}`, unknown);
  }
  const done = new Set<string>();
  for (let ready = stages; ready.length > 0;) {
    ready = stages.filter(({ id, needs }) => !done.has(id) && needs.every((need) => done.has(need)));
    for (const { id } of ready) done.add(id);
  }
  const waiting = stages.filter(({ id }) => !done.has(id)).map(({ id }) => id);
  if (waiting.length > 0) throw invalid('stages', 'needs without a cycle', `one among ${waiting.join(', ')}`);
}

const given = <Fields extends object>(fields: Fields): { [Name in keyof Fields]: NonNullable<Fields[Name]> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]: NonNullable<Fields[Name]>;
  };

const describe = (value: unknown): string =>
  value === undefined
    ? 'nothing'
    : value === null
      ? 'null'
      : Array.isArray(value)
        ? 'a list'
        : `a value of type ${typeof value}`;

const invalid = (path: string, expected: string, found: string): NightstillError =>
  new NightstillError('plan-invalid', `${path}: expected ${expected}, found ${found}`, { details: { path } });
