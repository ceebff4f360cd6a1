/** The stages of a file that names none: from dataset, teacher and student to a distilled student. Pure. */
import type { PlanFile, StageOfFile } from '../config/plan-schema.js';
import type { PlanIssue } from './plan-issues.js';

/** Sections at the top that hold the options of a stage of the standard plan. */
export const optionSections = ['fine-tune', 'capture', 'distill'] as const;

/** A stage, and where in the file a reader finds it and its options. */
export interface PlannedStage extends StageOfFile {
  readonly place: string;
  readonly optionsPlace: string;
}

export const stagesOfFile = (stages: readonly StageOfFile[]): PlannedStage[] =>
  stages.map((stage, index) => ({ ...stage, place: `stages[${index}]`, optionsPlace: `stages[${index}].with` }));

/** What the file lacks for the standard plan, or says twice. */
export function standardIssues(file: PlanFile): PlanIssue[] {
  const missing = (['teacher', 'student', 'dataset'] as const)
    .filter((name) => file[name] === undefined)
    .map((path) => ({ path, expected: 'what the standard plan needs, or stages', found: 'nothing' }));
  if (typeof file.student === 'string' || file['fine-tune']?.['start'] === undefined) return missing;
  const expected = 'none, since student says which layers the student begins with';
  return [...missing, { path: 'fine-tune.start', expected, found: 'one' }];
}

/** Of a file without `standardIssues`. */
export function standardStages(file: PlanFile): PlannedStage[] {
  const { teacher = '', student = '', dataset = '', evaluation } = file;
  const ownWeights = typeof student === 'string';
  const heldOut = evaluation === undefined ? [] : ['evaluation'];
  const held: Record<string, string> = evaluation === undefined ? {} : { heldOut: 'evaluation.dataset' };
  return [
    stage('import', 'import', [], {}, { dataset }),
    ...(evaluation === undefined ? [] : [stage('evaluation', 'import', [], {}, { dataset: evaluation })]),
    stage('teacher', 'import-model', [], {}, { model: teacher }),
    ...(ownWeights ? [stage('student', 'import-model', [], {}, { model: student })] : []),
    stage(
      'fine-tune',
      'fine-tune',
      ['import', ownWeights ? 'student' : 'teacher', ...heldOut],
      {
        dataset: 'import.dataset',
        ...(ownWeights ? { model: 'student.model' } : { teacher: 'teacher.model' }),
        ...held,
      },
      { ...(!ownWeights && { start: student }), ...file['fine-tune'] },
    ),
    ...(file.capture === undefined ? [] : [captureStage(file, ownWeights)]),
    stage(
      'distill',
      'distill',
      ['import', file.capture === undefined ? 'teacher' : 'capture', 'fine-tune', ...heldOut],
      {
        dataset: 'import.dataset',
        ...(file.capture === undefined ? { teacher: 'teacher.model' } : { logits: 'capture.logits' }),
        model: 'fine-tune.model',
        ...held,
      },
      { ...file.distill },
    ),
  ];
}

/** Logits are found by tokens: unless the file says otherwise, those of `distill` are captured, at its temperature. */
function captureStage({ capture, distill = {} }: PlanFile, ownWeights: boolean): PlannedStage {
  const { rowTokens, tooLong, answers, temperature } = distill;
  const agreed = {
    ...(rowTokens !== undefined && { rowTokens }),
    ...(tooLong !== undefined && { tooLong }),
    ...(answers !== undefined && { answers }),
    ...(temperature !== undefined && { temperatures: [temperature] }),
  };
  return stage(
    'capture',
    'capture',
    ['import', 'teacher', ...(ownWeights ? ['student'] : [])],
    { dataset: 'import.dataset', teacher: 'teacher.model', ...(ownWeights && { student: 'student.model' }) },
    { ...agreed, ...capture },
  );
}

const stage = (
  id: string,
  uses: string,
  needs: string[],
  inputs: Record<string, string>,
  options: StageOfFile['with'],
): PlannedStage => ({
  id,
  uses,
  needs,
  inputs,
  with: options,
  timeouts: {},
  retry: {},
  place: id,
  optionsPlace: id,
});
