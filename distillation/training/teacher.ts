/** A teacher that computes along in the program of the student: what it must have in common with it, and the lesson it gives. */
import { NightstillError } from '../../config/errors.js';
import type { DistillOptions } from '../../config/training-options.js';
import {
  openModelDirectory,
  openTokenizer,
  teacherObjective,
  teacherWeights,
  type DistillationSettings,
  type Divergence,
} from '../../engine/index.js';
import { confirmDivergence } from './divergence-check.js';
import type { Lesson, LessonRequest } from './lesson.js';

/** @throws teacher-mismatch when its tokenizer is not that of the student; what the files of the model deserve */
export async function denseTeacherLesson(
  options: DistillOptions,
  directory: string,
  { tokenizer }: LessonRequest,
): Promise<Lesson> {
  const teachers = await openTokenizer(directory);
  if (teachers.digest !== tokenizer.digest)
    throw new NightstillError(
      'teacher-mismatch',
      `expected a teacher with the tokenizer of the student (digest ${tokenizer.digest}), found one with digest ${teachers.digest}`,
    );
  const { config, tensors, close } = await openModelDirectory(directory);
  return {
    objective: teacherObjective(distillationSettings(options), config),
    frozen: teacherWeights(tensors.readFloat32Rows),
    check: (step) => confirmDivergence(step),
    close,
  };
}

export const distillationSettings = ({
  divergence,
  temperature,
  timesTemperatureSquared,
  crossEntropyShare,
}: DistillOptions): DistillationSettings => ({
  divergence: divergenceOf(divergence),
  temperature,
  timesTemperatureSquared,
  crossEntropyShare,
});

const divergenceOf = (written: DistillOptions['divergence']): Divergence =>
  typeof written === 'string' ? { kind: written } : { kind: 'jensen-shannon', beta: written.jsd };
