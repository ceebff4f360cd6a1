/**
 * Which system of a distillation a model is: told by how it was made, as the preimages of the stages of its run say, and only
 * where those say nothing by the names that the plan gave. Pure.
 */
import type { System } from '../../config/gate-schema.js';
import type { JsonObject } from '../../storage/index.js';
import { memberOf, objectAt, textAt } from './json-members.js';

export type ReportedSystem = System | 'distilled' | 'other';

/** In the order of the rows. */
export const reportedSystems: readonly ReportedSystem[] = [
  'teacher',
  'base',
  'fine-tuned',
  'distilled',
  'control',
  'champion',
  'other',
];

/** A stage that has a result. */
export interface FinishedStage {
  readonly node: string;
  readonly preimage: JsonObject;
  /** Name of the output → digest. */
  readonly outputs: Readonly<Record<string, string>>;
}

export interface Lineage {
  readonly system: ReportedSystem;
  /** What made the model, where a node of the run did. */
  readonly maker?: FinishedStage;
}

/**
 * @param model digest of the model that was evaluated
 * @param evaluation the node that did
 */
export function lineageOf(model: string, evaluation: string, stages: readonly FinishedStage[]): Lineage {
  const maker = stages.find(({ outputs }) => outputs['model'] === model);
  // A champion may be what this very run has made: then the plan's name for it decides.
  if (/champion/.test(evaluation)) return { system: 'champion', ...(maker && { maker }) };
  if (maker === undefined) return { system: named(evaluation) };
  return { system: madeBy(maker) ?? usedAs(model, stages) ?? named(`${maker.node} ${evaluation}`), maker };
}

/** Who answered behind an endpoint: a teacher, unless the plan's name for the evaluation says another. */
export function answeringSystem(evaluation: string): ReportedSystem {
  if (/champion/.test(evaluation)) return 'champion';
  const system = named(evaluation);
  return system === 'other' ? 'teacher' : system;
}

const madeBy = ({ preimage }: FinishedStage): ReportedSystem | undefined => {
  if (memberOf(preimage, 'kind') === 'fine-tune') return 'fine-tuned';
  if (memberOf(preimage, 'kind') !== 'distill') return undefined;
  return memberOf(objectAt(preimage, 'options'), 'crossEntropyShare') === 1 ? 'control' : 'distilled';
};

/** A model from outside is the teacher of whom it taught, and the base of whom it became. */
function usedAs(model: string, stages: readonly FinishedStage[]): ReportedSystem | undefined {
  const inputs = stages
    .filter(({ preimage }) => ['fine-tune', 'capture', 'distill'].includes(textAt(preimage, 'kind') ?? ''))
    .map(({ preimage }) => objectAt(preimage, 'inputs'));
  if (inputs.some((each) => memberOf(each, 'teacher') === model)) return 'teacher';
  return inputs.some((each) => memberOf(each, 'model') === model) ? 'base' : undefined;
}

const names: readonly (readonly [RegExp, ReportedSystem])[] = [
  [/teacher/, 'teacher'],
  [/control/, 'control'],
  [/distil/, 'distilled'],
  [/fine-?tune|sft/, 'fine-tuned'],
  [/base/, 'base'],
];

const named = (name: string): ReportedSystem => names.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
