/**
 * How far a student is from a teacher on given tokens: forward KL, Σ p·log(p/q), at every position, exact over all ids that both
 * models have. Both compute in one program, and their logits are made chunk of tokens after chunk of tokens: those of a whole text
 * never exist. A text is alone in its row, so its numbers are the same whatever was asked before.
 *
 * T tokens of a row, n of a chunk, V and W the vocabularies, S ids that both have.
 */
import { setImmediate } from 'node:timers/promises';
import { compile, type ProgramSpec, type Session } from '../compile.js';
import type { ModelConfig } from '../files/model-config.js';
import { expectedTensors } from '../files/model-tensors.js';
import { after } from '../kernels/order.js';
import { hiddenStates, logits } from '../models/decoder.js';
import type { NumbersSource, Runner } from '../runners/runner.js';
import { tf } from '../tf.js';
import type { Tensors } from '../tracing/trace.js';
import { denseDivergence } from '../training/losses/dense-teacher.js';

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
   * @param ids L token ids, at most as many as the longest row has
   * @returns [L − 1], in nats; that at place i is of the distributions of token i + 1, given all before it
   */
  divergences(ids: Int32Array): Promise<Float32Array>;
  dispose(): void;
}

/** @throws engine-failed, and whatever reading the weights throws */
export async function createForwardKl(options: ForwardKlOptions): Promise<ForwardKl> {
  const { runner, student, teacher, rowLengths, logitNumbers = 2 ** 24, xla = false } = options;
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
    divergences: (ids) => divergences(session, rowLengths, ids),
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
  const chunk = chunkOf(tokens, vocabulary, logitNumbers);
  return {
    xla,
    inputs: { ids: ofRow, positions: ofRow, segments: ofRow },
    run(state, inputs) {
      const hiddenOf = (config: ModelConfig, weights: Tensors): tf.Tensor2D =>
        hiddenStates(config, weights, {
          ids_BT: matrixOf(inputs, 'ids', tokens),
          positions_BT: matrixOf(inputs, 'positions', tokens),
          segments_BT: matrixOf(inputs, 'segments', tokens),
        });
      const [ours, theirs] = [weightsOf(state, studentPrefix), weightsOf(state, teacherPrefix)];
      const [hidden_TD, teachers_TD] = [hiddenOf(student, ours), hiddenOf(teacher, theirs)];
      const chunks: tf.Tensor1D[] = [];
      for (let begin = 0; begin < tokens; begin += chunk) {
        const before = chunks.at(-1);
        // In a graph the next logits would otherwise be made beside these.
        const rowsOf = (all: tf.Tensor2D): tf.Tensor2D => {
          const rows_nD = tf.slice(all, [begin, 0], [chunk, -1]);
          return before === undefined ? rows_nD : after(rows_nD, before);
        };
        const teacherLogits_NW = logits(teacher, theirs, rowsOf(teachers_TD));
        const logits_nV = logits(student, ours, rowsOf(hidden_TD));
        const { values_N } = denseDivergence({ kind: 'forward-kl' }, 1, logits_nV, { teacherLogits_NW });
        chunks.push(values_N);
      }
      return { outputs: { divergences: chunks.length === 1 && chunks[0] ? chunks[0] : tf.concat1d(chunks) } };
    },
  };
}

/** The most tokens that divide the row and whose logits are few enough; at least one. */
function chunkOf(tokens: number, vocabulary: number, logitNumbers: number): number {
  let chunks = Math.max(1, Math.ceil((tokens * vocabulary) / logitNumbers));
  while (tokens % chunks !== 0) chunks += 1;
  return tokens / chunks;
}

const weightsOf = (state: Tensors, prefix: string): Tensors =>
  Object.fromEntries(
    Object.entries(state).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  );

function matrixOf(inputs: Tensors, name: string, tokens: number): tf.Tensor2D {
  const tensor = inputs[name];
  if (tensor === undefined) throw new TypeError(`expected an input ${name}`);
  return tensor.as2D(1, tokens);
}

async function divergences(
  session: Session<string>,
  rowLengths: readonly number[],
  ids: Int32Array,
): Promise<Float32Array> {
  const tokens = rowLengths.find((length) => length >= ids.length);
  if (tokens === undefined) throw new RangeError(`expected at most ${rowLengths.at(-1)} tokens, found ${ids.length}`);
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
