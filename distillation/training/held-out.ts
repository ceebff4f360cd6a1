/**
 * How well a student predicts answers that it was never trained on: the mean cross-entropy of their tokens, whatever it learned
 * from, so that students of different lessons can be compared.
 */
import {
  createScorer,
  type ModelConfig,
  type NumbersSource,
  type Runner,
  type TokenShards,
} from '../../engine/index.js';

export interface HeldOutRequest {
  readonly runner: Runner;
  readonly config: ModelConfig;
  readonly weights: NumbersSource;
  readonly data: TokenShards;
  /** Tokens of a row; no sample is longer. */
  readonly rowTokens: number;
  readonly rows: number;
  readonly xla: boolean;
  readonly onSamples: (done: number, of: number) => void;
}

export interface HeldOutLoss {
  /** Natural logarithm, per token. */
  readonly loss: number;
  /** Over which it is the mean. */
  readonly trainedTokens: number;
  readonly samples: number;
}

/** The same in every process that computes the same bits. */
export async function heldOutLoss(request: HeldOutRequest): Promise<HeldOutLoss> {
  const { runner, config, weights, data, rowTokens, rows, xla, onSamples } = request;
  const [rowLengths, batchTokens] = [[rowTokens], rows * rowTokens];
  const scorer = await createScorer({ runner, config, weights, rowLengths, batchTokens, topK: 1, xla });
  try {
    let [sum, trainedTokens, done] = [0, 0, 0];
    for await (const { index, tokenLogProbabilities } of scorer.score(sequences(data))) {
      for (const { start, end } of (await data.read(index)).trained)
        for (let token = Math.max(start, 1); token < end; token += 1) {
          sum -= tokenLogProbabilities[token - 1] ?? Number.NaN;
          trainedTokens += 1;
        }
      onSamples((done += 1), data.samples);
    }
    return { loss: sum / trainedTokens, trainedTokens, samples: done };
  } finally {
    scorer.dispose();
  }
}

async function* sequences(data: TokenShards): AsyncGenerator<Int32Array> {
  for (let sample = 0; sample < data.samples; sample += 1) yield (await data.read(sample)).ids;
}
