/**
 * How far a student is from a teacher on given tokens: forward KL, Σ p·log(p/q), at every position, exact over all ids that both
 * models have. Both compute in one program, and their logits are made chunk of tokens after chunk of tokens: those of a whole text
 * never exist. A text is alone in its row, so its numbers are the same whatever was asked before.
 *
 * T tokens of a row, n of a chunk, D hidden size, V and W the vocabularies of student and teacher.
 */
import { setImmediate } from 'node:timers/promises';
import { compile, type ProgramSpec, type Session } from '../compile.js';
import type { ModelConfig } from '../files/model-config.js';
import { expectedTensors } from '../files/model-tensors.js';
import { isCount, refuse } from '../inference-checks.js';
import { hiddenStates, logits } from '../models/decoder.js';
import type { NumbersSource, Runner } from '../runners/runner.js';
import type { tf } from '../tf.js';
import { namedTensor, type Tensors } from '../tracing/tensors.js';
import { denseDivergence } from '../training/losses/dense-teacher.js';
import { checkRowLengths, checkSequence } from './checks.js';
import { chunksOf, inChunks } from './chunks.js';

export interface ScoredModel {
  readonly config: ModelConfig;
  /** Its tensors by their names in its files, as float32. */
  readonly weights: NumbersSource;
}

export interface ForwardKlOptions {
  readonly runner: Runner;
  readonly student: ScoredModel;
  readonly teacher: ScoredModel;
  /** Lengths of rows, ascending; a text goes into the first that it fits into. */
  readonly rowLengths: readonly number[];
  /** How many logits of one model are in memory at once. Default: 16 million. */
  readonly logitNumbers?: number;
  /** Default: false. */
  readonly xla?: boolean;
}

export interface ForwardKl {
  /**
   * @param ids L token ids, at least one and at most as many as the longest row has
   * @throws inference-setting-invalid, sequence-too-long, engine-failed
   * @returns [L − 1], in nats; that at place i is of the distributions of token i + 1, given all before it
   */
  divergences(ids: Int32Array): Promise<Float32Array>;
  dispose(): void;
}

/** @throws inference-setting-invalid, engine-failed, and whatever reading the weights throws */
export async function createForwardKl(options: ForwardKlOptions): Promise<ForwardKl> {
  const { runner, student, teacher, rowLengths, logitNumbers = 2 ** 24, xla = false } = options;
  const configs = [student.config, teacher.config];
  checkRowLengths(rowLengths, Math.min(...configs.map(({ maximumPositions }) => maximumPositions)));
  if (!isCount(logitNumbers)) throw refuse(`logitNumbers of at least 1, found ${logitNumbers}`);
  const known = { rowLengths, vocabularySize: Math.min(...configs.map(({ vocabularySize }) => vocabularySize)) };
  const tensors = [...named(studentPrefix, student), ...named(teacherPrefix, teacher)];
  const state = Object.fromEntries(tensors.map(([name, shape]) => [name, { shape, dtype: 'float32' } as const]));
  const programs = Object.fromEntries(
    rowLengths.map((tokens) => [
      nameOf(tokens),
      programOf({ student: student.config, teacher: teacher.config, tokens, logitNumbers, xla }),
    ]),
  );
  const session = await compile({ runner, state, programs });
  try {
    const weights: NumbersSource = (name, ...rows) =>
      name.startsWith(teacherPrefix)
        ? teacher.weights(name.slice(teacherPrefix.length), ...rows)
        : student.weights(name.slice(studentPrefix.length), ...rows);
    await session.load(Object.keys(state), weights);
  } catch (error) {
    session.dispose();
    throw error;
  }
  return {
    divergences: async (ids) => {
      checkSequence(known, ids);
      return divergences(session, rowLengths, ids);
    },
    dispose: () => session.dispose(),
  };
}

const [studentPrefix, teacherPrefix] = ['student/', 'teacher/'] as const;

const nameOf = (tokens: number): string => `forward KL ${tokens}`;

const named = (prefix: string, { config }: ScoredModel) =>
  [...expectedTensors(config)].map(([name, shape]) => [`${prefix}${name}`, shape] as const);

interface Shape {
  readonly student: ModelConfig;
  readonly teacher: ModelConfig;
  readonly tokens: number;
  readonly logitNumbers: number;
  readonly xla: boolean;
}

function programOf({ student, teacher, tokens, logitNumbers, xla }: Shape): ProgramSpec {
  const ofRow = { shape: [1, tokens], dtype: 'int32' } as const;
  const vocabulary = Math.max(student.vocabularySize, teacher.vocabularySize);
  return {
    xla,
    inputs: { ids: ofRow, positions: ofRow, segments: ofRow },
    run(state, inputs) {
      const hiddenOf = (config: ModelConfig, weights: Tensors): tf.Tensor2D =>
        hiddenStates(config, weights, {
          ids_BT: namedTensor(inputs, 'ids').as2D(1, tokens),
          positions_BT: namedTensor(inputs, 'positions').as2D(1, tokens),
          segments_BT: namedTensor(inputs, 'segments').as2D(1, tokens),
        });
      const [ours, theirs] = [weightsOf(state, studentPrefix), weightsOf(state, teacherPrefix)];
      const [hidden_TD, teachers_TD] = [hiddenOf(student, ours), hiddenOf(teacher, theirs)];
      const outputs = inChunks(chunksOf(tokens, vocabulary, logitNumbers), (rowsOf) => {
        const teacherLogits_NW = logits(teacher, theirs, rowsOf(teachers_TD));
        const logits_nV = logits(student, ours, rowsOf(hidden_TD));
        const { values_N } = denseDivergence({ kind: 'forward-kl' }, 1, logits_nV, { teacherLogits_NW });
        return { divergences: values_N };
      });
      return { outputs };
    },
  };
}

const weightsOf = (state: Tensors, prefix: string): Tensors =>
  Object.fromEntries(
    Object.entries(state).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  );

async function divergences(
  session: Session<string>,
  rowLengths: readonly number[],
  ids: Int32Array,
): Promise<Float32Array> {
  const tokens = rowLengths.find((length) => length >= ids.length) ?? 0;
  const padded = (values: Int32Array): Int32Array => {
    const row = new Int32Array(tokens);
    row.set(values);
    return row;
  };
  const { divergences: found = new Float32Array() } = session.run(nameOf(tokens), {
    ids: padded(ids),
    positions: padded(ids.map((_, position) => position)),
    segments: padded(new Int32Array(ids.length).fill(1)),
  });
  await setImmediate();
  return Float32Array.from(found.subarray(0, Math.max(0, ids.length - 1)));
}
