/**
 * Scores sequences of mixed length: log-probabilities of their tokens and the most probable ids at every position. Short
 * sequences share rows, as segments that do not see each other. Calls are synchronous; between any two the event loop gets its
 * turn.
 */
import { setImmediate } from 'node:timers/promises';
import { compile, type ProgramSpec, type Session } from '../compile.js';
import type { ModelConfig } from '../files/model-config.js';
import { expectedTensors } from '../files/model-tensors.js';
import { isCount, refuse } from '../inference-checks.js';
import type { NumbersSource, Runner } from '../runners/runner.js';
import { takeBatch, type ScoringBatch, type Waiting } from './batches.js';
import { checkRowLengths, checkSequence } from './checks.js';
import { rowsOf, scoreName, scoringPrograms, type ScoringShape } from './programs.js';
import { readScored, type ScoredSequence } from './scored.js';

export interface ScorerOptions extends Pick<ScoringShape, 'rowLengths' | 'batchTokens' | 'topK'> {
  readonly runner: Runner;
  readonly config: ModelConfig;
  /** The tensors of the model by their names in its files, as float32. */
  readonly weights: NumbersSource;
  /** Default: [1]. */
  readonly temperatures?: readonly number[];
  /** How many logits are in memory at once. Default: 16 million. */
  readonly logitNumbers?: number;
  /** How many batches' worth of tokens wait, for better packing, before a batch is scored. Default: 4. */
  readonly waitingBatches?: number;
  /** Compile with XLA, where the runner knows XLA. Default: false. */
  readonly xla?: boolean;
  /** Of the operands of matrix products. Default: float32. */
  readonly precision?: ProgramSpec['precision'];
}

export interface Scorer {
  /**
   * Answers come as batches are done, each with the index of its sequence. Equal lists give equal bits.
   * @param sequences token ids, at least one each; nothing is read ahead of what fills the waiting batches
   * @throws inference-setting-invalid, sequence-too-long for a sequence; engine-failed
   */
  score(sequences: Iterable<Int32Array> | AsyncIterable<Int32Array>): AsyncGenerator<ScoredSequence, void, undefined>;
  dispose(): void;
}

/**
 * Compiles the programs and loads the weights.
 * @throws inference-setting-invalid, engine-failed, and whatever reading the weights throws
 */
export async function createScorer(options: ScorerOptions): Promise<Scorer> {
  const { runner, config, weights, temperatures = [1], logitNumbers = 2 ** 24, waitingBatches = 4 } = options;
  const { rowLengths, batchTokens, topK, xla = false, precision = 'float32' } = options;
  const shape: ScoringShape = { rowLengths, batchTokens, topK, temperatures, logitNumbers };
  checkShape(config, shape);
  const tensors = expectedTensors(config);
  const state = Object.fromEntries(
    [...tensors].map(([name, dimensions]) => [name, { shape: dimensions, dtype: 'float32' } as const]),
  );
  const session = await compile({ runner, state, programs: scoringPrograms(config, shape, { xla, precision }) });
  try {
    await session.load([...tensors.keys()], weights);
  } catch (error) {
    session.dispose();
    throw error;
  }
  return {
    score: (sequences) => score({ config, shape, session, waitingTokens: waitingBatches * batchTokens }, sequences),
    dispose: () => session.dispose(),
  };
}

interface Loaded {
  readonly config: ModelConfig;
  readonly shape: ScoringShape;
  readonly session: Session<string>;
  readonly waitingTokens: number;
}

/** Sequences that wait for rows of one length. */
interface Queue {
  readonly columns: number;
  readonly waiting: Waiting[];
}

async function* score(
  loaded: Loaded,
  sequences: Iterable<Int32Array> | AsyncIterable<Int32Array>,
): AsyncGenerator<ScoredSequence, void, undefined> {
  const queues = loaded.shape.rowLengths.map((columns): Queue => ({ columns, waiting: [] }));
  const known = { rowLengths: loaded.shape.rowLengths, vocabularySize: loaded.config.vocabularySize };
  let index = 0;
  for await (const ids of sequences) {
    checkSequence(known, ids, ` in sequence ${index}`);
    const queue = queues.find(({ columns }) => columns >= ids.length);
    queue?.waiting.push({ index, ids });
    index += 1;
    if (queue !== undefined && tokensOf(queue) >= loaded.waitingTokens) yield* scoreBatch(loaded, queue);
  }
  for (const queue of queues) while (queue.waiting.length > 0) yield* scoreBatch(loaded, queue);
}

const tokensOf = ({ waiting }: Queue): number => waiting.reduce((sum, { ids }) => sum + ids.length, 0);

async function* scoreBatch({ shape, session }: Loaded, { columns, waiting }: Queue) {
  const batch: ScoringBatch = takeBatch(waiting, rowsOf(shape, columns), columns);
  const { ids, positions, segments, next, places } = batch;
  const results = session.run(scoreName(columns), { ids, positions, segments, next });
  await setImmediate();
  for (const place of places) yield readScored(results, place, shape);
}

function checkShape({ maximumPositions, vocabularySize }: ModelConfig, shape: ScoringShape): void {
  const { rowLengths, batchTokens, topK, temperatures, logitNumbers } = shape;
  checkRowLengths(rowLengths, maximumPositions);
  if (!isCount(batchTokens) || !isCount(logitNumbers)) throw refuse('batchTokens and logitNumbers of at least 1');
  if (!isCount(topK) || topK > vocabularySize) throw refuse(`topK of 1 to ${vocabularySize}, found ${topK}`);
  if (!temperatures.every((temperature) => temperature > 0 && temperature < Infinity))
    throw refuse(`temperatures above 0, found [${temperatures.join(', ')}]`);
}
