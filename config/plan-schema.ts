/**
 * What a user may write in a plan file. Only the shape is checked here; stage kinds, their options and the needs between
 * stages are resolved by `activities/resolve-plan.ts`, where the kinds are known. Descriptions are shown by editors.
 */
import { z } from 'zod';
import { budgetSchema } from './budget-schema.js';
import { datasetSchema } from './dataset-schema.js';
import { durationSchema } from './duration.js';
import { gateSchema } from './gate-schema.js';
import { namePattern } from './names.js';
import { tensorflowRelease } from './numerics.js';
import { scheduleSchema } from './schedule-schema.js';
import { sourceUrlSchema } from './source-url.js';
import { teacherDirectorySchema, teacherEndpointSchema, type TeacherEndpoint } from './teacher-schema.js';

/**
 * Stands in file names, object keys, Temporal ids, and as a key of records: every object has a member of the one name that is refused, the
 * only one of its kind that the pattern lets pass.
 */
export const nameSchema = z
  .string()
  .regex(namePattern, '1 to 63 characters of a-z 0-9 . _ -, the first a letter or digit')
  .refine((name) => name !== 'constructor', 'a name other than constructor');

const milliseconds = z
  .int()
  .min(100)
  .max(30 * 24 * 3600 * 1000);

const optionsSchema = z.record(z.string(), z.json());

const stageSchema = z.strictObject({
  id: nameSchema.describe('Its name in this plan.'),
  uses: nameSchema.describe('The stage kind.'),
  needs: z.array(nameSchema).default([]).describe('Ids of the stages that must be done first.'),
  inputs: z
    .record(z.string(), z.string().regex(/^[a-z0-9][a-z0-9._-]*\.[A-Za-z]+$/, 'stage.output, such as import.dataset'))
    .default({})
    .describe('Where an input comes from, `stage.output`, when the needs do not say it without doubt.'),
  with: optionsSchema.default({}).describe('Options of the stage kind.'),
  timeouts: z
    .strictObject({
      startToCloseMs: milliseconds.optional().describe('One attempt may take this long.'),
      heartbeatMs: milliseconds.optional().describe('A worker that is silent for this long is taken for dead.'),
    })
    .default({}),
  retry: z
    .strictObject({
      initialIntervalMs: milliseconds.optional(),
      backoffCoefficient: z.number().min(1).max(10).optional(),
      maximumIntervalMs: milliseconds.optional(),
    })
    .default({}),
});

/** Temporal keeps the whole plan in the history of the run: larger ones are refused. */
const maximumNodes = 300;

export const numericsSchema = z.strictObject({
  runner: z
    .enum(['tensorflow', 'wasm'])
    .default('tensorflow')
    .describe('tensorflow: the native library. wasm: needs nothing, several times slower.'),
  tensorflow: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, `a release such as ${tensorflowRelease}`)
    .default(tensorflowRelease)
    .describe('Release of TensorFlow. A worker that has another one refuses to train.'),
  xla: z.boolean().default(false).describe('Compile with XLA: faster, and other bits.'),
  precision: z
    .enum(['float32', 'bfloat16'])
    .default('float32')
    .describe('Of the matrix products of trainings and captures; weights, sums and answers are float32.'),
  threads: z.int().min(1).max(1024).default(2).describe('Threads within one operation: bits depend on their number.'),
});

const startSchema = z
  .enum(['base', 'champion'])
  .default('base')
  .describe('What a night trains from: this model, or the one that serves, where there is one.');

const studentSchema = z.union([
  sourceUrlSchema,
  z.strictObject({ model: sourceUrlSchema, start: startSchema }),
  z.strictObject({
    layers: z.union([z.array(z.int().min(0)).min(1), z.strictObject({ every: z.int().min(1) })]),
  }),
]);

export const planFileSchema = z.strictObject({
  name: nameSchema.describe('Of the plan, the same night after night.'),
  store: z
    .string({ error: 'a store URL: file:///directory or s3://bucket/prefix' })
    .describe('URL of the object store: file:///directory or s3://bucket/prefix.'),
  teacher: z
    .union([sourceUrlSchema, teacherDirectorySchema, teacherEndpointSchema])
    .optional()
    .describe(
      'A model directory; `{ model, terms }`, the same with its terms, which are needed where it answers; or an endpoint: `{ endpoint, model, revision, terms }`.',
    ),
  student: studentSchema
    .optional()
    .describe(
      'A model directory, or which layers of the teacher to begin with: `{ layers: { every: 2 } }`. With `{ model, start: champion }` a night trains from what serves.',
    ),
  dataset: datasetSchema
    .optional()
    .describe(
      'JSONL or Parquet: a file or an object, all under a place that ends in `/`, a glob, or `{ from, window, until }`.',
    ),
  evaluation: datasetSchema.optional().describe('As `dataset`: rows that are never trained on.'),
  answer: optionsSchema
    .optional()
    .describe(
      'Options of the stage answer of the standard plan: the teacher answers the prompts of the dataset. With a model directory as teacher, `{}` too asks for it; without it the dataset holds the answers.',
    ),
  'answer-evaluation': z
    .union([z.literal(false), optionsSchema])
    .optional()
    .describe(
      'In the standard plan a teacher behind an endpoint that is measured answers the rows of `evaluation` as well, paid out of the same budget: options of that stage answer, or `false`, and the teacher is not measured.',
    ),
  'fine-tune': optionsSchema.optional().describe('Options of the stage fine-tune of the standard plan.'),
  capture: optionsSchema
    .optional()
    .describe(
      'Options of the stage capture of the standard plan. With it, `{}` too, distill learns from logits that are captured first; without it, from the teacher beside it.',
    ),
  distill: optionsSchema.optional().describe('Options of the stage distill of the standard plan.'),
  control: z
    .literal(true)
    .optional()
    .describe(
      'In the standard plan, a stage beside distill that differs in α alone: with cross-entropy alone, it tells what the distributions of the teacher were worth.',
    ),
  evaluate: optionsSchema
    .optional()
    .describe('Options of the stages evaluate of the standard plan. Default: what the gates ask for is scored.'),
  reproduction: z
    .int()
    .min(0)
    .max(10_000)
    .optional()
    .describe(
      'In the standard plan, so many of the training rows are asked of each student that is evaluated, to see how many answers it recites: a stage more for each. Default: 0, none.',
    ),
  promote: optionsSchema
    .optional()
    .describe('Options of the stage promote of the standard plan, which has one if it has gates.'),
  numerics: numericsSchema
    .default(numericsSchema.parse({}))
    .describe('How numbers are computed: part of the identity of whatever is trained.'),
  onFailure: z
    .enum(['fail-fast', 'finish-others'])
    .default('fail-fast')
    .describe('When a stage fails: start nothing new, or finish whatever does not need it.'),
  loseAtMost: durationSchema.optional().describe('Work that a crash may cost, as time: `5m`.'),
  onDifferentMachine: z
    .enum(['continue', 'wait'])
    .optional()
    .describe('With a checkpoint of a machine that computes other bits: go on and say so, or wait for another worker.'),
  budget: budgetSchema.optional().describe('What may be spent. Refused unless a stage of the plan spends money.'),
  gates: gateSchema.optional().describe('What a student must prove. Refused unless a stage of the plan measures it.'),
  schedule: scheduleSchema.optional().describe('When the plan is run. A run that was started otherwise ignores it.'),
  stages: z
    .array(stageSchema)
    .min(1)
    .max(maximumNodes)
    .optional()
    .describe('Default: the standard plan, from dataset to distilled student.'),
});

/** The model directory that a student begins as; undefined where it is cut from layers of the teacher. */
export const ownModel = (student: PlanFile['student']): string | undefined =>
  typeof student === 'object' ? ('model' in student ? student.model : undefined) : student;

/** Is it asked over a network? Else it is a model directory. */
export const isEndpoint = (teacher: PlanFile['teacher']): teacher is TeacherEndpoint =>
  typeof teacher === 'object' && teacher.endpoint !== undefined;

/** Of a teacher that lies in one. */
export const teacherDirectory = (teacher: Exclude<PlanFile['teacher'], TeacherEndpoint>): string | undefined =>
  typeof teacher === 'object' ? teacher.model : teacher;

export const startsFromChampion = ({ student }: Pick<PlanFile, 'student'>): boolean =>
  typeof student === 'object' && 'start' in student && student.start === 'champion';

export type PlanFile = z.infer<typeof planFileSchema>;
export type StageOfFile = z.infer<typeof stageSchema>;

/** What only means something when a stage takes it. The rest is of the run itself. */
export const takenByStages = [
  'teacher',
  'student',
  'dataset',
  'evaluation',
  'answer',
  'answer-evaluation',
  'fine-tune',
  'capture',
  'distill',
  'control',
  'evaluate',
  'reproduction',
  'promote',
  'loseAtMost',
  'onDifferentMachine',
  'budget',
  'gates',
] as const satisfies readonly (keyof PlanFile)[];
