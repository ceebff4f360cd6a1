/**
 * The kinds of stages that train. They differ in how the student begins and in what it learns from; everything else is the same
 * training. A new kind is an entry here.
 */
import type { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { distillOptions, fineTuneOptions, type TrainingOptions } from '../../config/training-options.js';
import { labelsObjective } from '../../engine/index.js';
import type { Json } from '../../storage/index.js';
import type { Lesson, LessonRequest } from './lesson.js';
import { storedTeacherLesson } from './stored-teacher.js';
import type { StudentStart } from './student.js';
import { denseTeacherLesson } from './teacher.js';

/** What is to be trained, as a plan says it. */
export interface Exercise {
  readonly options: TrainingOptions;
  readonly start: StudentStart;
  readonly lesson: (request: LessonRequest) => Promise<Lesson>;
}

interface Kind<Options extends TrainingOptions> {
  readonly start: (options: Options) => StudentStart;
  readonly lesson: (options: Options, request: LessonRequest) => Promise<Lesson>;
}

const kind =
  <Options extends TrainingOptions>(schema: z.ZodType<Options>, { start, lesson }: Kind<Options>) =>
  (json: Json): Exercise => {
    const options = schema.parse(json); // has passed it before
    return { options, start: start(options), lesson: (request) => lesson(options, request) };
  };

const kinds: Readonly<Record<string, (options: Json) => Exercise>> = {
  'fine-tune': kind(fineTuneOptions, {
    start: (options) => options.start,
    lesson: () => Promise.resolve({ objective: labelsObjective(), close: () => Promise.resolve() }),
  }),
  distill: kind(distillOptions, {
    start: () => 'given',
    async lesson(options, request) {
      const { teacher, logits } = request.inputs;
      if (teacher !== undefined && logits === undefined)
        return denseTeacherLesson(options, await request.fetch(teacher), request);
      if (logits !== undefined && teacher === undefined) return storedTeacherLesson(options, logits, request);
      throw new NightstillError(
        'plan-invalid',
        `distill: expected one of the inputs teacher and logits, found ${teacher === undefined ? 'none' : 'both'}`,
      );
    },
  }),
};

/** @throws plan-invalid for a kind that does not train */
export function exerciseOf(uses: string, options: Json): Exercise {
  const parse = kinds[uses];
  if (parse) return parse(options);
  throw new NightstillError('plan-invalid', `expected a stage of ${Object.keys(kinds).join(' or ')}, found ${uses}`);
}
