/**
 * A stage that buys much of an endpoint is told what other stages of the plan will ask of the same one, so that it finds out first
 * whether they can have it: an endpoint without log-probabilities is told before its answers are bought and a student is trained. Pure.
 */
import type { PlanNode } from '../config/plan.js';
import type { ScoringNeed } from '../config/scoring-need.js';
import type { StageKind } from '../config/stage-kind.js';
import { teacherEndpointSchema } from '../config/teacher-schema.js';
import { canonicalJson } from '../storage/index.js';

/** Of a plan in which nothing is wrong. What a stage says itself stands. */
export function withForeseenScoring(nodes: readonly PlanNode[], kinds: readonly StageKind[]): PlanNode[] {
  const kindOf = ({ uses }: PlanNode): StageKind | undefined => kinds.find(({ kind }) => kind === uses);
  return nodes.map((node) => {
    const [option, endpoint] = [kindOf(node)?.foreseesScoring, endpointOf(node)];
    if (option === undefined || endpoint === undefined || node.with[option] !== undefined) return node;
    const needs = new Map<string, ScoringNeed>();
    for (const other of nodes) {
      const need = endpointOf(other) === endpoint ? kindOf(other)?.scores(other.with) : undefined;
      if (need) needs.set(canonicalJson({ ...need }), need);
    }
    return needs.size === 0 ? node : { ...node, with: { ...node.with, [option]: [...needs.values()] } };
  });
}

/** Whom it asks; undefined: nobody. */
function endpointOf({ with: options }: PlanNode): string | undefined {
  const { data } = teacherEndpointSchema.safeParse(options['teacher']);
  return data && canonicalJson([data.endpoint, data.model, data.revision]);
}
