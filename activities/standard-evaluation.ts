/**
 * What the standard plan adds where it has questions to measure with: the student answers them, and so does every other model that the
 * plan has, so that a report tells what each step was worth; the gate decides by those that it compares, and who passes is promoted. Pure.
 */
import { scoresOf, systemsOf, type Gate, type System } from '../config/gate-schema.js';
import { nearest } from '../config/nearest.js';
import { isEndpoint, ownModel, startsFromChampion, type PlanFile } from '../config/plan-schema.js';
import type { StageKind } from '../config/stage-kind.js';
import type { PlanIssue } from './plan-issues.js';
import { answerEvaluation, answersEvaluation } from './standard-answers.js';
import { plannedStage, type PlannedStage } from './planned-stage.js';

/** Are there questions, and does the file ask for their answers? */
export const isMeasured = ({ evaluation, gates, evaluate }: PlanFile): boolean =>
  evaluation !== undefined && (gates !== undefined || evaluate !== undefined);

/** Does a teacher behind an endpoint answer these questions? */
export const asksToMeasure = (file: PlanFile): boolean => isMeasured(file) && answersEvaluation(file);

/** Does the plan end with a student that has learned distributions? Those of an endpoint are known where it is captured. */
export const isDistilled = ({ teacher, capture }: PlanFile): boolean => !isEndpoint(teacher) || capture !== undefined;

/** The output that is each of the models which the plan has; the champion is found in the store. */
function modelsOf(file: PlanFile): Partial<Record<System, string>> {
  const { teacher, student, control } = file;
  return {
    ...(ownModel(student) !== undefined && { base: 'student' }),
    ...(!isEndpoint(teacher) ? { teacher: 'teacher' } : answersEvaluation(file) && { teacher: 'answer-evaluation' }),
    ...(isDistilled(file) && { 'fine-tuned': 'fine-tune' }),
    ...(control !== undefined && { control: 'control' }),
  };
}

const candidateOf = (file: PlanFile): string => (isDistilled(file) ? 'distill' : 'fine-tune');

/** Gates that ask for what this plan cannot measure. */
export const measuringIssues = (file: PlanFile, kinds: readonly StageKind[]): PlanIssue[] =>
  isMeasured(file) ? [...comparisonIssues(file), ...scoreIssues(file, kinds)] : [];

/** The gates say what is scored, unless the file does. */
function scoreIssues({ gates = [], evaluate }: PlanFile, kinds: readonly StageKind[]): PlanIssue[] {
  if (evaluate?.['scorers'] !== undefined) return [];
  const known = kinds.flatMap(({ kind, knownScorers }) => (kind === 'evaluate' ? knownScorers : []));
  return scoresOf(gates)
    .filter((score) => !known.includes(score))
    .map((found) => ({ path: 'gates', expected: `scores of ${known.join(', ')}${nearest(found, known)}`, found }));
}

const whyAbsent: Partial<Record<System, string>> = {
  base: 'without a base since the student is cut from layers of the teacher',
  teacher: 'without a teacher since answer-evaluation is false',
};

/** Gates that compare with a model which this plan does not have. */
function comparisonIssues(file: PlanFile): PlanIssue[] {
  const known = modelsOf(file);
  const names = ['champion', ...Object.keys(known)].join(', ');
  return systemsOf(file.gates ?? [])
    .filter((system) => system !== 'champion' && known[system] === undefined)
    .map((found) => {
      const why = whyAbsent[found];
      return {
        path: 'gates',
        expected: `comparisons with what this plan has (${names})${why === undefined ? '' : `, ${why}`}`,
        found,
      };
    });
}

/** @param made the stages before: those that train say what they trained on */
export function measuringStages(file: PlanFile, made: readonly PlannedStage[]): PlannedStage[] {
  if (!isMeasured(file)) return [];
  const { gates = [], control } = file;
  const candidate = candidateOf(file);
  const others = Object.entries(modelsOf(file)) as [System, string][];
  const compared = new Set<System>([...systemsOf(gates), ...(control === undefined ? [] : (['control'] as const))]);
  return [
    ...(others.some(([, node]) => node === 'answer-evaluation') ? [answerEvaluation(file)] : []),
    evaluating(file, 'evaluate', candidate),
    ...others.map(([system, node]) => evaluating(file, `evaluate-${system}`, node)),
    ...(file.gates === undefined
      ? []
      : deciding(file, {
          candidate,
          compared: others.map(([system]) => system).filter((system) => compared.has(system)),
          dataset: made.find(({ id }) => id === 'fine-tune')?.inputs['dataset'] ?? 'import.dataset',
        })),
    ...reproductions(file, made, [candidate, ...others.map(([, node]) => node)]),
  ];
}

function evaluating({ gates, evaluate: options, teacher }: PlanFile, id: string, node: string): PlannedStage {
  const isCompared = !isEndpoint(teacher) && node !== 'teacher';
  return {
    ...plannedStage(
      id,
      'evaluate',
      [node, 'evaluation', ...(isCompared ? ['teacher'] : [])],
      {
        ...(node === 'answer-evaluation' ? { answers: `${node}.answers` } : { model: `${node}.model` }),
        dataset: 'evaluation.dataset',
        ...(isCompared && { teacher: 'teacher.model' }),
      },
      { ...defaultsFor(gates), ...options },
    ),
    optionsPlace: 'evaluate',
  };
}

const trainings = ['fine-tune', 'distill', 'control'];

/** The students that are evaluated are asked some of their training rows as well, where the plan wants it: how many answers do they recite? */
function reproductions(
  { reproduction = 0, evaluate: options }: PlanFile,
  made: readonly PlannedStage[],
  evaluated: readonly string[],
): PlannedStage[] {
  if (reproduction === 0) return [];
  // Judged by their own answers, letter by letter.
  const { scorers: _scorers, reference: _reference, database: _database, ...decoding } = options ?? {};
  return made
    .filter(({ id }) => trainings.includes(id) && evaluated.includes(id))
    .map(({ id, inputs: { dataset = '' } }) => ({
      ...plannedStage(
        `reproduce-${id}`,
        'evaluate',
        [id, makerOf(dataset)],
        { model: `${id}.model`, dataset },
        { ...decoding, scorers: ['exact-match'], sample: reproduction },
      ),
      optionsPlace: 'evaluate',
    }));
}

/** What the gates ask for is scored, unless the file says what is. */
const defaultsFor = (gates: Gate | undefined) => (gates === undefined ? {} : { scorers: scoresOf(gates) });

interface Decided {
  readonly candidate: string;
  readonly compared: readonly System[];
  /** What the student was trained on, for its model card. */
  readonly dataset: string;
}

function deciding(file: PlanFile, { candidate, compared, dataset }: Decided): PlannedStage[] {
  const trained = startsFromChampion(file);
  const scores = Object.fromEntries(compared.map((system) => [system, `evaluate-${system}.scores`]));
  const needs = [candidate, 'evaluate', ...compared.map((system) => `evaluate-${system}`)];
  const model = `${candidate}.model`;
  return [
    plannedStage('gate', 'gate', needs, { model, candidate: 'evaluate.scores', ...scores }, {}),
    plannedStage(
      'promote',
      'promote',
      [...new Set(['gate', candidate, makerOf(dataset), ...(trained ? ['fine-tune'] : [])])],
      { verdict: 'gate.verdict', model, dataset, ...(trained && { trained: 'fine-tune.model' }) },
      { ...file.promote },
    ),
  ];
}

/** The stage of an output, as `import` of `import.dataset`. */
const makerOf = (output: string): string => output.replace(/\..*/, '');
