/** The stages of a file that names none: from dataset, teacher and student to a distilled student. Pure. */
import { NightstillError } from '../config/errors.js';
import type { PlanFile, StageOfFile } from '../config/plan-schema.js';

/** @throws plan-invalid when the file does not name what the standard plan needs */
export function standardStages({ teacher, student, dataset, evaluation }: PlanFile): StageOfFile[] {
  if (teacher === undefined || student === undefined || dataset === undefined)
    throw new NightstillError(
      'plan-invalid',
      'the plan: expected teacher, student and dataset, or stages, found neither',
    );
  const ownWeights = typeof student === 'string';
  const heldOut = evaluation === undefined ? [] : ['evaluation'];
  const held: Record<string, string> = evaluation === undefined ? {} : { heldOut: 'evaluation.dataset' };
  return [
    stage('import', 'import', [], {}, {}),
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
      ownWeights ? {} : { start: student },
    ),
    stage(
      'distill',
      'distill',
      ['import', 'teacher', 'fine-tune', ...heldOut],
      { dataset: 'import.dataset', teacher: 'teacher.model', model: 'fine-tune.model', ...held },
      {},
    ),
  ];
}

const stage = (
  id: string,
  uses: string,
  needs: string[],
  inputs: Record<string, string>,
  options: StageOfFile['with'],
): StageOfFile => ({ id, uses, needs, inputs, with: options, timeouts: {}, retry: {} });
