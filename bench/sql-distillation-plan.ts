/**
 * The plan of the demo, many times over: for each number of prompts and each seed one fine-tune, and from its weights as many
 * steps on the same tokens in the same order with cross-entropy alone and with the teacher's distributions at each temperature.
 * All options but the seed, the temperature and the share of cross-entropy are those of `examples/sql/distill.yaml`. Pure.
 */
import type { Json, JsonObject } from '../storage/index.js';

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
  const { sizes, seeds, store, endpoint } = series;
  const stages = demo['stages'] as unknown as readonly Stage[]; // a plan that was loaded
  const named = (id: string): Stage => {
    const found = stages.find((stage) => stage.id === id);
    if (found === undefined) throw new Error(`expected a stage ${id} in the plan of the demo, found none`);
    return found;
  };
  const evaluate = (model: string): Stage => ({
    ...named('evaluate-sft'),
    id: evaluationOf(model),
    needs: [model, 'test'],
    inputs: { model: `${model}.model`, dataset: 'test.dataset' },
  });
  const trained = (arm: Arm, like: Stage, size: number, seed: number, options: JsonObject): Stage[] => {
    const id = cellOf(arm, size, seed);
    const start = arm === 'sft' ? 'base' : cellOf('sft', size, seed);
    const lesson = arm === 'sft' ? {} : { logits: `capture-${size}.logits` };
    return [
      {
        ...like,
        id,
        needs: [`answer-${size}`, start, ...(arm === 'sft' ? [] : [`capture-${size}`])],
        inputs: { dataset: `answer-${size}.dataset`, model: `${start}.model`, ...lesson },
        with: { ...like.with, ...options, seed },
      },
      evaluate(id),
    ];
  };
  const ofSize = (size: number): Stage[] => [
    { id: `prompts-${size}`, uses: 'import', with: { dataset: series.promptsOf(size) } },
    { ...named('answer'), id: `answer-${size}`, needs: [`prompts-${size}`] },
    {
      ...named('capture'),
      id: `capture-${size}`,
      needs: [`answer-${size}`, 'teacher', 'base'],
      inputs: { dataset: `answer-${size}.dataset`, teacher: 'teacher.model', student: 'base.model' },
      with: { ...named('capture').with, temperatures: [...series.temperatures] },
    },
    ...seeds.flatMap((seed) => [
      ...trained('sft', named('sft'), size, seed, {}),
      ...trained('ce', named('control'), size, seed, {}),
      ...series.temperatures.flatMap((temperature) =>
        trained(`kd-${temperature}`, named('kd'), size, seed, { temperature }),
      ),
    ]),
  ];
  const shared = ['test', 'teacher', 'base'].map(named);
  const all = [...shared, evaluate('teacher'), evaluate('base'), ...sizes.flatMap(ofSize)];
  const { teacher } = demo;
  return {
    name: 'sql-series',
    store,
    onFailure: 'finish-others',
    ...(demo['loseAtMost'] !== undefined && { loseAtMost: demo['loseAtMost'] }),
    teacher: { ...(teacher as JsonObject), endpoint },
    stages: all as unknown as Json,
  };
}
