/**
 * From the content of a user's file to a plan: shape, stage kinds, options, needs. Nothing outside is asked. All that is wrong
 * is told at once, each with its place in the file; what no stage of the plan would take is refused, not ignored.
 */
import { carriesCredentials } from '../config/credentials.js';
import { hasCode } from '../config/errors.js';
import type { JsonObject } from '../config/json.js';
import { nearest } from '../config/nearest.js';
import { deepestLevel, isTooDeep } from '../config/nesting.js';
import type { Numerics } from '../config/numerics.js';
import { planFileSchema, startsFromChampion, takenByStages, type PlanFile } from '../config/plan-schema.js';
import type { NodeRetry, PlanNode, ResolvedPlan } from '../config/plan.js';
import { queueName } from '../config/queues.js';
import { needsDate, withoutWindows } from '../config/scheduled-date.js';
import type { StageKind } from '../config/stage-kind.js';
import { canonicalJson, digestOf, parseStoreUrl, type Json } from '../storage/index.js';
import { withForeseenScoring } from './foreseen-scoring.js';
import { describe, joinPath, planInvalid, throwIfAny, type PlanIssue } from './plan-issues.js';
import type { PlannedStage } from './planned-stage.js';
import { choiceIssues, disagreementIssues, needIssues, resolveInputs } from './resolve-needs.js';
import { check } from './schema-issues.js';
import { teacherSettingIssues } from './teacher-settings.js';
import { neededFor, stagesOfFile, standardIssues, standardSections, standardStages } from './standard-stages.js';

export interface PlanRules {
  readonly kinds: readonly StageKind[];
  readonly queuePrefix: string;
}

/** @throws plan-invalid */
export function resolvePlan(file: unknown, rules: PlanRules): ResolvedPlan {
  if (isTooDeep(file)) throwIfAny([{ path: '', expected: `at most ${deepestLevel} levels`, found: 'more' }]);
  throwIfAny([...credentialIssues(file), ...prototypeIssues(file, '')]);
  const checked = check(planFileSchema, file, '');
  const plan = checked.issues ? withoutBroken(file, checked.issues) : checked.value;
  if (plan === undefined) throw planInvalid(checked.issues ?? []);
  const ofFile = [
    ...(checked.issues ?? []),
    ...storeIssues(plan),
    ...numericsIssues(plan),
    ...dateIssues(file),
    ...startIssues(plan),
  ];
  const standard = plan.stages === undefined ? standardIssues(plan, rules.kinds) : [];
  if (standard.length > 0) throw planInvalid([...ofFile, ...standard]);
  const stages = plan.stages ? stagesOfFile(plan.stages) : standardStages(plan);
  const { nodes, issues } = resolveStages(plan, stages, rules);
  throwIfAny([...ofFile, ...issues]);
  const { name, store, onFailure } = plan;
  const foreseen = withForeseenScoring(nodes, rules.kinds);
  return { plan: { name, store, onFailure, nodes: foreseen }, planDigest: digestOf(canonicalJson(file as Json)) };
}

/** Sections that decide which stages there are: where one of these is broken, nothing else can be judged. */
const structure: readonly string[] = ['name', 'store', 'stages', 'teacher', 'student', 'dataset'];

/** What is wrong with one section does not hide what is wrong elsewhere. Undefined when the rest has no plan's shape. */
function withoutBroken(file: unknown, issues: readonly PlanIssue[]): PlanFile | undefined {
  if (typeof file !== 'object' || file === null) return undefined;
  const broken = new Set(issues.map(({ path }) => /^[^.[]*/.exec(path)?.[0]));
  const rest = Object.entries(file).filter(([key]) => structure.includes(key) || !broken.has(key));
  return planFileSchema.safeParse(Object.fromEntries(rest)).data;
}

function resolveStages(plan: PlanFile, stages: readonly PlannedStage[], rules: PlanRules) {
  const kindOfNode = (id: string): StageKind | undefined => {
    const uses = stages.find((stage) => stage.id === id)?.uses;
    return rules.kinds.find(({ kind }) => kind === uses);
  };
  const issues = [...needIssues(stages), ...sectionIssues(plan, stages, rules)];
  const nodes = stages.flatMap((stage) => resolveNode(plan, stage, rules, { issues, kindOfNode }));
  for (const stage of stages) {
    const kind = kindOfNode(stage.id);
    const found = disagreementIssues(stage, nodes, kindOfNode);
    issues.push(...(kind ? found.map((issue) => atTop(issue, plan, { kind, stage })) : found));
  }
  if (issues.length === 0)
    issues.push(...teacherSettingIssues(nodes, stages, rules.kinds), ...termsIssues(plan, nodes, rules));
  return { nodes, issues };
}

/** A student may learn from answers only under terms that allow it; `allowsTraining: no` does not pass the schema. */
function termsIssues({ teacher }: PlanFile, nodes: readonly PlanNode[], { kinds }: PlanRules): PlanIssue[] {
  const answers = nodes.some(({ uses, with: options }) => kinds.find(({ kind }) => kind === uses)?.needsTerms(options));
  if (!answers || typeof teacher === 'object') return [];
  const expected = '{ model, terms: { licence, allowsTraining } }, since it answers and a student learns from that';
  return [{ path: 'teacher', expected, found: teacher === undefined ? 'nothing' : 'a directory without terms' }];
}

interface Resolution {
  /** Whatever is found is added. */
  readonly issues: PlanIssue[];
  readonly kindOfNode: (id: string) => StageKind | undefined;
}

function resolveNode(
  plan: PlanFile,
  stage: PlannedStage,
  { kinds, queuePrefix }: PlanRules,
  { issues, kindOfNode }: Resolution,
): PlanNode[] {
  const kind = kinds.find((known) => known.kind === stage.uses);
  if (kind === undefined) {
    const names = kinds.map((known) => known.kind);
    const expected = `one of ${names.join(', ')}${nearest(stage.uses, names)}`;
    issues.push({ path: `${stage.place}.uses`, expected, found: stage.uses });
    return [];
  }
  const options = check(kind.options, { ...sharedOptions(kind, plan, stage), ...stage.with }, stage.optionsPlace);
  if (options.issues) issues.push(...options.issues.map((issue) => atTop(issue, plan, { kind, stage })));
  const retry = { ...kind.retry, ...given(stage.retry) };
  issues.push(...retryIssues(stage, retry));
  const { inputs, issues: ofInputs } = resolveInputs(kind, stage, kindOfNode);
  // The outputs of an unknown kind are not known either.
  if (stage.needs.every((need) => kindOfNode(need) !== undefined)) issues.push(...ofInputs);
  if (options.issues) return [];
  if (ofInputs.length === 0) issues.push(...choiceIssues(kind, options.value, stage, inputs));
  const approval = kind.approval(options.value);
  return [
    {
      id: stage.id,
      uses: kind.kind,
      needs: [...new Set(stage.needs)],
      inputs,
      with: options.value,
      ...(stage.fromChampion !== undefined && { fromChampion: { input: stage.fromChampion } }),
      ...(kind.numerics(options.value) && { numerics: numericsOf(plan) }),
      ...(approval && { approval }),
      activity: kind.activity,
      queue: queueName(kind.role(options.value), queuePrefix),
      timeouts: { ...kind.timeouts, ...given(stage.timeouts) },
      retry,
    },
  ];
}

/** Temporal refuses such intervals, but only when the stage is scheduled: after the stages before it were paid for. */
function retryIssues(
  { place, retry: written }: PlannedStage,
  { initialIntervalMs, maximumIntervalMs }: NodeRetry,
): PlanIssue[] {
  if (initialIntervalMs <= maximumIntervalMs) return [];
  const path = `${place}.retry`;
  // The other one may be the default of the stage: what the file says is what its reader can correct.
  return written.initialIntervalMs === undefined
    ? [issueOf(`${path}.maximumIntervalMs`, `at least ${initialIntervalMs} (initialIntervalMs)`, maximumIntervalMs)]
    : [issueOf(`${path}.initialIntervalMs`, `at most ${maximumIntervalMs} (maximumIntervalMs)`, initialIntervalMs)];
}

const issueOf = (path: string, expected: string, found: number): PlanIssue => ({ path, expected, found: `${found}` });

/** What is wrong with an option that the top of the file gave is told there. */
function atTop(
  issue: PlanIssue,
  plan: PlanFile,
  { kind, stage }: { readonly kind: StageKind; readonly stage: PlannedStage },
): PlanIssue {
  const given = Object.keys(sharedOptions(kind, plan, stage)).find(
    (option) => stage.with[option] === undefined && issue.path === joinPath(stage.optionsPlace, option),
  );
  return given === undefined ? issue : { ...issue, path: kind.shared[given] ?? given };
}

/** What the top of the file says for all stages, but for what the stage takes as an input. */
function sharedOptions({ shared }: StageKind, plan: PlanFile, { inputs }: PlannedStage): JsonObject {
  const top = plan as unknown as JsonObject;
  return Object.fromEntries(
    Object.entries(shared).flatMap(([option, name]) =>
      top[name] === undefined || inputs[option] !== undefined ? [] : [[option, top[name]]],
    ),
  );
}

const numericsOf = ({ numerics }: PlanFile): Numerics =>
  numerics.runner === 'wasm' ? { ...numerics, tensorflow: null } : numerics;

/** Sections that no stage of this plan takes. The standard plan takes what it is made of. */
function sectionIssues(plan: PlanFile, stages: readonly PlannedStage[], { kinds }: PlanRules): PlanIssue[] {
  const used = kinds.filter(({ kind }) => stages.some(({ uses }) => uses === kind));
  const taken = new Set<string>(used.flatMap(({ shared, applies }) => [...Object.values(shared), ...applies]));
  if (plan.stages === undefined) for (const name of standardSections(plan)) taken.add(name);
  return takenByStages
    .filter((name) => plan[name] !== undefined && !taken.has(name))
    .map((path) => {
      const needed = plan.stages === undefined ? neededFor(plan, path) : undefined;
      return needed === undefined
        ? { path, expected: 'a stage that takes it', found: 'none in this plan' }
        : { path, expected: needed, found: 'nothing' };
    });
}

/** What the wasm backend does not have. */
function numericsIssues({ numerics: { runner, xla, precision } }: PlanFile): PlanIssue[] {
  if (runner !== 'wasm') return [];
  return [
    ...(xla ? [{ path: 'numerics.xla', expected: 'false with the runner wasm', found: 'true' }] : []),
    ...(precision === 'float32'
      ? []
      : [{ path: 'numerics.precision', expected: 'float32 with the runner wasm', found: precision }]),
  ];
}

function storeIssues({ store }: PlanFile): PlanIssue[] {
  try {
    parseStoreUrl(store);
    return [];
  } catch (error) {
    if (!hasCode(error, 'store-url-invalid')) throw error;
    return [{ path: 'store', expected: error.message.replace(/^.*: expected /, ''), found: 'another text' }];
  }
}

/** Only the standard plan says which training starts from the champion. */
const startIssues = (plan: PlanFile): PlanIssue[] =>
  plan.stages !== undefined && startsFromChampion(plan)
    ? [{ path: 'student.start', expected: 'none with stages', found: 'champion' }]
    : [];

const credentialIssues = (file: unknown): PlanIssue[] =>
  textsIn(file, '')
    .filter(({ text }) => carriesCredentials(text))
    .map(({ path }) => ({ path, expected: 'a URL without credentials', found: 'one that has them' }));

/** A night fills in its date before its plan is resolved: a run that no schedule has started has none. */
const dateIssues = (file: unknown): PlanIssue[] =>
  textsIn(withoutWindows(file), '')
    .filter(({ text }) => needsDate(text))
    .map(({ path }) => ({
      path,
      expected: 'the day that {{scheduledDate}} stands for: of a schedule, or with --date 2026-11-27',
      found: 'none',
    }));

interface PlacedText {
  readonly path: string;
  readonly text: string;
}

function textsIn(value: unknown, path: string): PlacedText[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return members.flatMap(([key, member]) => textsIn(member, joinPath(path, key)));
}

/** What is checked against a schema loses this key without a word, and the plan would mean something else than it says. */
function prototypeIssues(value: unknown, path: string): PlanIssue[] {
  if (typeof value !== 'object' || value === null) return [];
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return members.flatMap(([key, member]) =>
    key === '__proto__'
      ? [{ path: joinPath(path, key), expected: 'a key other than __proto__', found: describe(member) }]
      : prototypeIssues(member, joinPath(path, key)),
  );
}

const given = <Fields extends object>(fields: Fields): { [Name in keyof Fields]: NonNullable<Fields[Name]> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]: NonNullable<Fields[Name]>;
  };
