/**
 * The stages of a file that names none. A teacher that lies in a directory: from dataset, teacher and student to a distilled
 * student; where the file has a section `answer`, that teacher answers the prompts of the dataset first. A teacher behind an endpoint: it
 * answers the prompts, and the student learns its answers; with a section `capture` it is then asked how probable the tokens of its
 * answers are, and the student learns these distributions too. Pure.
 */
import {
  isEndpoint,
  ownModel,
  startsFromChampion,
  teacherDirectory,
  type PlanFile,
  type StageOfFile,
} from '../config/plan-schema.js';
import type { StageKind } from '../config/stage-kind.js';
import type { PlanIssue } from './plan-issues.js';
import { answer, canary, isWatched } from './standard-answers.js';
import { plannedStage, type PlannedStage } from './planned-stage.js';
import { asksToMeasure, isDistilled, isMeasured, measuringIssues, measuringStages } from './standard-evaluation.js';

/** Sections at the top that hold the options of a stage of the standard plan: section → the kinds it may be of, as the teacher is. */
export const optionSections: Readonly<Record<string, readonly string[]>> = {
  answer: ['answer'],
  'answer-evaluation': ['answer'],
  'fine-tune': ['fine-tune'],
  capture: ['capture', 'capture-endpoint'],
  distill: ['distill'],
  evaluate: ['evaluate'],
  promote: ['promote'],
};

export const stagesOfFile = (stages: readonly StageOfFile[]): PlannedStage[] =>
  stages.map((stage, index) => ({ ...stage, place: `stages[${index}]`, optionsPlace: `stages[${index}].with` }));

/** What the file lacks for the standard plan, or says twice. */
export function standardIssues(file: PlanFile, kinds: readonly StageKind[]): PlanIssue[] {
  const missing = (['teacher', 'student', 'dataset'] as const)
    .filter((name) => file[name] === undefined)
    .map((path) => ({ path, expected: 'what the standard plan needs, or stages', found: 'nothing' }));
  return [
    ...missing,
    ...(isEndpoint(file.teacher) ? endpointIssues(file) : localIssues(file)),
    ...startIssues(file),
    ...measuringIssues(file, kinds),
  ];
}

/** An endpoint has no layers to cut a student from, and distributions only where it gives log-probabilities: the file says so. */
function endpointIssues(file: PlanFile): PlanIssue[] {
  const because = 'since the teacher is an endpoint';
  return [
    ...(file.student !== undefined && ownModel(file.student) === undefined
      ? [{ path: 'student', expected: `a model directory, ${because} and has no layers to give`, found: 'layers' }]
      : []),
    ...(['distill', 'control'] as const)
      .filter((path) => file[path] !== undefined && file.capture === undefined)
      .map((path) => ({
        path,
        expected: `none without capture beside it, ${because}: it must give log-probabilities of prompts`,
        found: 'one',
      })),
  ];
}

const localIssues = (file: PlanFile): PlanIssue[] =>
  file['answer-evaluation'] === undefined
    ? []
    : [
        {
          path: 'answer-evaluation',
          expected: 'none, since the teacher is a model directory, which is measured as the students are',
          found: 'one',
        },
      ];

function startIssues(file: PlanFile): PlanIssue[] {
  if (file['fine-tune']?.['start'] === undefined) return [];
  if (startsFromChampion(file))
    return [
      {
        path: 'fine-tune.start',
        expected: 'none, since student says that a night starts from the champion',
        found: 'one',
      },
    ];
  if (ownModel(file.student) !== undefined) return [];
  const expected = 'none, since student says which layers the student begins with';
  return [{ path: 'fine-tune.start', expected, found: 'one' }];
}

/** Sections that the standard plan of this file is made of. */
export const standardSections = (file: PlanFile): readonly (keyof PlanFile)[] => [
  ...(['teacher', 'student', 'dataset', 'evaluation', 'fine-tune'] as const),
  'answer',
  ...(isDistilled(file) ? (['capture', 'distill', 'control'] as const) : []),
  ...(isMeasured(file) ? (['answer-evaluation', 'evaluate', 'reproduction'] as const) : []),
  ...(isMeasured(file) && file.gates !== undefined ? (['promote'] as const) : []),
];

/** What the standard plan of this file would need in order to have a stage that takes the section. */
export const neededFor = ({ evaluation, gates }: PlanFile, section: keyof PlanFile): string | undefined => {
  if (section === 'promote' && gates === undefined) return 'gates beside it, which decide whom to promote';
  const isAboutQuestions = ['gates', 'answer-evaluation', 'evaluate', 'reproduction', 'promote'].includes(section);
  return isAboutQuestions && evaluation === undefined
    ? 'evaluation beside it, the held-out rows that it is about'
    : undefined;
};

/** Of a file without `standardIssues`. */
export function standardStages(file: PlanFile): PlannedStage[] {
  const { teacher, student, dataset = '', evaluation } = file;
  const model = ownModel(student);
  const imports = [
    plannedStage('import', 'import', [], {}, { dataset }),
    ...(evaluation === undefined ? [] : [plannedStage('evaluation', 'import', [], {}, { dataset: evaluation })]),
    ...(isEndpoint(teacher)
      ? []
      : [plannedStage('teacher', 'import-model', [], {}, { model: teacherDirectory(teacher) ?? '' })]),
    ...(model === undefined ? [] : [plannedStage('student', 'import-model', [], {}, { model })]),
  ];
  const made = !isEndpoint(teacher)
    ? [
        ...imports,
        ...(file.answer === undefined ? [] : [answer(file)]),
        fineTune(file),
        ...(file.capture === undefined ? [] : [capture(file)]),
        distill(file),
        ...control(file),
      ]
    : [
        ...imports,
        ...canary(file),
        oneAfterAnother(answer(file), file),
        fineTune(file),
        ...(isDistilled(file) ? [captureEndpoint(file), distill(file), ...control(file)] : []),
      ];
  return [...made, ...measuringStages(file, made)];
}

/** Does the teacher answer the prompts of the dataset, or does that hold the answers? */
const lessonOf = ({ teacher, answer: section }: PlanFile): 'answer' | 'import' =>
  isEndpoint(teacher) || section !== undefined ? 'answer' : 'import';

/**
 * Limits of an endpoint hold for each stage that asks it, so they ask one after another; the few questions first, by which a teacher is
 * measured: one that cannot answer is told before much is bought.
 */
const oneAfterAnother = (stage: PlannedStage, file: PlanFile): PlannedStage =>
  asksToMeasure(file) ? { ...stage, needs: [...stage.needs, 'answer-evaluation'] } : stage;

function fineTune(file: PlanFile): PlannedStage {
  const { student } = file;
  const lesson = lessonOf(file);
  const cut = ownModel(student) === undefined;
  const stage = plannedStage(
    'fine-tune',
    'fine-tune',
    [lesson, cut ? 'teacher' : 'student', ...heldOut(file).needs],
    {
      dataset: `${lesson}.dataset`,
      ...(cut ? { teacher: 'teacher.model' } : { model: 'student.model' }),
      ...heldOut(file).inputs,
    },
    { ...(cut && student !== undefined && { start: student }), ...file['fine-tune'] },
  );
  return startsFromChampion(file) ? { ...stage, fromChampion: 'model' } : stage;
}

function distill(file: PlanFile): PlannedStage {
  const { needs, inputs } = distributionsOf(file);
  return plannedStage(
    'distill',
    'distill',
    [...needs, 'fine-tune', ...heldOut(file).needs],
    { ...inputs, model: 'fine-tune.model', ...heldOut(file).inputs },
    // An endpoint gives log-probabilities: those of temperature 1.
    { ...(isEndpoint(file.teacher) && { temperature: 1 }), ...file.distill },
  );
}

/** What a distillation learns from. */
function distributionsOf(file: PlanFile): { readonly needs: readonly string[]; readonly inputs: Inputs } {
  if (isEndpoint(file.teacher))
    return { needs: ['capture'], inputs: { dataset: 'capture.dataset', logits: 'capture.logits' } };
  const [lesson, isCaptured] = [lessonOf(file), file.capture !== undefined];
  return {
    needs: [lesson, isCaptured ? 'capture' : 'teacher'],
    inputs: {
      dataset: `${lesson}.dataset`,
      ...(isCaptured ? { logits: 'capture.logits' } : { teacher: 'teacher.model' }),
    },
  };
}

/** The distillation over again with α = 1: what the student would have become without the distributions of the teacher. */
function control(file: PlanFile): PlannedStage[] {
  if (file.control === undefined) return [];
  const { needs, inputs, with: options } = distill(file);
  return [plannedStage('control', 'distill', [...needs], { ...inputs }, { ...options, crossEntropyShare: 1 })];
}

/** Logits are found by tokens: unless the file says otherwise, those of `distill` are captured, at its temperature. */
function capture(file: PlanFile): PlannedStage {
  const { capture: options, distill: agreeing = {}, student } = file;
  const lesson = lessonOf(file);
  const ownWeights = ownModel(student) !== undefined;
  const { temperature } = agreeing;
  return plannedStage(
    'capture',
    'capture',
    [lesson, 'teacher', ...(ownWeights ? ['student'] : [])],
    { dataset: `${lesson}.dataset`, teacher: 'teacher.model', ...(ownWeights && { student: 'student.model' }) },
    { ...tokensOf(agreeing), ...(temperature !== undefined && { temperatures: [temperature] }), ...options },
  );
}

/** Of the answers that the same teacher gave. */
function captureEndpoint(file: PlanFile): PlannedStage {
  const { capture: options, distill: agreeing = {} } = file;
  const watched = isWatched(file);
  return plannedStage(
    'capture',
    'capture-endpoint',
    ['answer', 'student', ...(watched ? ['canary'] : [])],
    { dataset: 'answer.dataset', student: 'student.model', ...(watched && { identity: 'canary.identity' }) },
    { ...tokensOf(agreeing), ...options },
  );
}

/** What decides which tokens a dataset becomes. */
const tokensOf = ({ rowTokens, tooLong, answers }: NonNullable<PlanFile['distill']>) => ({
  ...(rowTokens !== undefined && { rowTokens }),
  ...(tooLong !== undefined && { tooLong }),
  ...(answers !== undefined && { answers }),
});

const heldOut = ({ evaluation }: PlanFile): { readonly needs: readonly string[]; readonly inputs: Inputs } =>
  evaluation === undefined
    ? { needs: [], inputs: {} }
    : { needs: ['evaluation'], inputs: { heldOut: 'evaluation.dataset' } };

type Inputs = Readonly<Record<string, string>>;
