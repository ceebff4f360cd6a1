/**
 * The plan of the demo, many times over: for each number of prompts and each seed one fine-tune, and from its weights as many
 * steps on the same tokens in the same order with cross-entropy alone and with the teacher's distributions at each temperature.
 * All options but the seed, the temperature and the share of cross-entropy are those of `examples/sql/distill.yaml`. Pure.
 */
import type { Json, JsonObject } from '../../storage/index.js';

export interface Series {
  readonly sizes: readonly number[];
  readonly seeds: readonly number[];
  readonly temperatures: readonly number[];
  /** The first of the prompts, so many, as a dataset. */
  readonly promptsOf: (size: number) => string;
  readonly store: string;
  /** Of the teacher's server. */
  readonly endpoint: string;
}

/** `sft` is where the others begin; `ce` goes on without a teacher; `kd-2` at T = 2. */
export type Arm = 'sft' | 'ce' | `kd-${number}`;

export const armsOf = ({ temperatures }: Pick<Series, 'temperatures'>): Arm[] => [
  'sft',
  'ce',
  ...temperatures.map((temperature): Arm => `kd-${temperature}`),
];
export const cellOf = (arm: Arm, size: number, seed: number): string => `${arm}-${size}-${seed}`;
export const evaluationOf = (model: string): string => `evaluate-${model}`;

interface Stage {
  readonly id: string;
  readonly uses: string;
  readonly needs?: readonly string[];
  readonly inputs?: Readonly<Record<string, string>>;
  readonly with: JsonObject;
}

/** @param demo the file of the demo, read */
export function planOfSeries(demo: JsonObject, series: Series): JsonObject {
  const { sizes, store, endpoint } = series;
  const stages = demo['stages'] as unknown as readonly Stage[]; // a plan that was loaded
  const ofDemo = (id: string): Stage => {
    const found = stages.find((stage) => stage.id === id);
    if (found === undefined) throw new Error(`expected a stage ${id} in the plan of the demo, found none`);
    return found;
  };
  const all = [
    ...['test', 'teacher', 'base'].map(ofDemo),
    ...['teacher', 'base'].map((model) => evaluation(ofDemo, model)),
    ...sizes.flatMap((size) => stagesOfSize(ofDemo, series, size)),
  ];
  return {
    name: 'sql-series',
    store,
    onFailure: 'finish-others',
    ...(demo['loseAtMost'] !== undefined && { loseAtMost: demo['loseAtMost'] }),
    teacher: { ...(demo['teacher'] as JsonObject), endpoint },
    stages: all as unknown as Json,
  };
}

type OfDemo = (id: string) => Stage;

const evaluation = (ofDemo: OfDemo, model: string): Stage => ({
  ...ofDemo('evaluate-sft'),
  id: evaluationOf(model),
  needs: [model, 'test'],
  inputs: { model: `${model}.model`, dataset: 'test.dataset' },
});

/** The teacher answers and is captured once; every seed learns from that. */
function stagesOfSize(ofDemo: OfDemo, { promptsOf, seeds, temperatures }: Series, size: number): Stage[] {
  const answered = `answer-${size}`;
  const captured = `capture-${size}`;
  const trained = (arm: Arm, seed: number, like: Stage, options: JsonObject = {}): Stage[] => {
    const id = cellOf(arm, size, seed);
    const start = arm === 'sft' ? 'base' : cellOf('sft', size, seed);
    const inputs = { dataset: `${answered}.dataset`, model: `${start}.model` };
    const learning = { ...like, id, with: { ...like.with, ...options, seed } };
    return [
      arm === 'sft'
        ? { ...learning, needs: [answered, start], inputs }
        : { ...learning, needs: [answered, start, captured], inputs: { ...inputs, logits: `${captured}.logits` } },
      evaluation(ofDemo, id),
    ];
  };
  const capture = ofDemo('capture');
  return [
    { id: `prompts-${size}`, uses: 'import', with: { dataset: promptsOf(size) } },
    { ...ofDemo('answer'), id: answered, needs: [`prompts-${size}`] },
    {
      ...capture,
      id: captured,
      needs: [answered, 'teacher', 'base'],
      inputs: { dataset: `${answered}.dataset`, teacher: 'teacher.model', student: 'base.model' },
      with: { ...capture.with, temperatures: [...temperatures] },
    },
    ...seeds.flatMap((seed) => [
      ...trained('sft', seed, ofDemo('sft')),
      ...trained('ce', seed, ofDemo('control')),
      ...temperatures.flatMap((temperature) => trained(`kd-${temperature}`, seed, ofDemo('kd'), { temperature })),
    ]),
  ];
}
