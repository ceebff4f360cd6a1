/**
 * Settings of a teacher that only some stages carry out: canaries, and the greatest age of answers. Where no stage of the plan does so for
 * that teacher, the plan is refused: nothing in a file is ignored. Pure.
 */
import type { JsonObject } from '../config/json.js';
import type { PlanNode } from '../config/plan.js';
import type { StageKind, TeacherSetting } from '../config/stage-kind.js';
import { teacherEndpointSchema, teacherIdentity, type TeacherEndpoint } from '../config/teacher-schema.js';
import { canonicalJson, type Json } from '../storage/index.js';
import type { PlanIssue } from './plan-issues.js';
import type { PlannedStage } from './planned-stage.js';

const expectedStage: Readonly<Record<TeacherSetting, string>> = {
  'teacher.canary': 'a stage canary that asks them',
  'teacher.maxAge': 'a stage answer that asks again',
};
const settings = Object.keys(expectedStage) as TeacherSetting[];

/** For a plan without other issues. */
export function teacherSettingIssues(
  nodes: readonly PlanNode[],
  stages: readonly PlannedStage[],
  kinds: readonly StageKind[],
): PlanIssue[] {
  const issues = new Map<string, PlanIssue>();
  const asking = nodes.flatMap((node) => askedBy(node, stages, kinds) ?? []);
  for (const { teacher, place } of asking)
    for (const setting of settings) {
      const given = valueOf(teacher, setting);
      const doers = asking.filter(
        ({ kind, teacher: other }) => kind.applies.includes(setting) && isSame(teacher, other),
      );
      const path = `${place}.${fieldOf(setting)}`;
      if (given === undefined) continue;
      if (!doers.some((doer) => canonicalJson(valueOf(doer.teacher, setting) ?? null) === canonicalJson(given)))
        issues.set(path, { path, expected: expectedStage[setting], found: 'none in this plan' });
      else if (setting === 'teacher.canary' && teacher.canary?.onDrift === 'ask-again' && !isHeard(doers, nodes))
        issues.set(`${path}.onDrift`, {
          path: `${path}.onDrift`,
          expected: 'a stage answer with the input identity from the stage canary, which then asks anew',
          found: 'none in this plan',
        });
    }
  return [...issues.values()];
}

interface Asking {
  readonly id: string;
  readonly kind: StageKind;
  readonly teacher: TeacherEndpoint;
  /** Where the file describes it. */
  readonly place: string;
}

function askedBy(node: PlanNode, stages: readonly PlannedStage[], kinds: readonly StageKind[]): Asking | undefined {
  const kind = kinds.find((known) => known.kind === node.uses);
  const option = Object.keys(kind?.sources ?? {}).find((name) => kind?.sources[name] === 'teacher');
  const parsed = teacherEndpointSchema.safeParse(option && node.with[option]);
  const stage = stages.find(({ id }) => id === node.id);
  if (!kind || !option || !stage || !parsed.success) return undefined;
  const place = stage.with[option] === undefined ? (kind.shared[option] ?? option) : `${stage.optionsPlace}.${option}`;
  return { id: node.id, kind, teacher: parsed.data, place };
}

const isHeard = (canaries: readonly Asking[], nodes: readonly PlanNode[]): boolean =>
  nodes.some(({ inputs }) => Object.values(inputs).some(({ node }) => canaries.some(({ id }) => id === node)));

const isSame = (one: TeacherEndpoint, other: TeacherEndpoint): boolean =>
  canonicalJson(teacherIdentity(one)) === canonicalJson(teacherIdentity(other));

const fieldOf = (setting: TeacherSetting): string => setting.replace('teacher.', '');

const valueOf = (teacher: TeacherEndpoint, setting: TeacherSetting): Json | undefined =>
  (teacher as unknown as JsonObject)[fieldOf(setting)];
