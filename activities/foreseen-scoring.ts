/**
 * A stage that buys answers of an endpoint is told which log-probabilities other stages will ask of the same endpoint, and checks first
 * that it gives them. Otherwise the run would fail only after the answers were paid for and a student was trained. Pure.
 */
import type { PlanNode } from '../config/plan.js';
import type { ScoringNeed } from '../config/scoring-need.js';
import type { StageKind } from '../config/stage-kind.js';
import { teacherEndpointSchema } from '../config/teacher-schema.js';
import { canonicalJson } from '../storage/index.js';

/** For a plan without issues. What the file itself says in that option is kept. */
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

/** The endpoint that a node asks; undefined: none. */
function endpointOf({ with: options }: PlanNode): string | undefined {
  const { data } = teacherEndpointSchema.safeParse(options['teacher']);
  return data && canonicalJson([data.endpoint, data.model, data.revision]);
}
