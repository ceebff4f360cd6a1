/** What is known of a sequence of L tokens after scoring: L − 1 distributions, that after token i being about token i + 1. */
import type { NamedNumbers } from '../runners/runner.js';
import type { Numbers } from '../tracing/program.js';
import { restName, type ScoringShape } from './programs.js';

export interface ScoredSequence {
  /** Its place among the sequences that were given. */
  readonly index: number;
  /** [L − 1], of the tokens 1 … L − 1, given all before them, at temperature 1. */
  readonly tokenLogProbabilities: Float32Array;
  /** int32 [L − 1, K], the most probable ids, most probable first; of equally probable ones the lower id first. */
  readonly topIds: Int32Array;
  /** [L − 1, K], logits of `topIds` less the greatest: 0 first, never rising. The same whatever temperatures are asked for. */
  readonly topGaps: Float32Array;
  /** In the order in which the scorer was given its temperatures. */
  readonly distributions: readonly TemperatureDistribution[];
}

/** With `topIds` what a loss against a top-k teacher takes. */
export interface TemperatureDistribution {
  readonly temperature: number;
  /** [L − 1, K], of `topIds`. */
  readonly topLogProbabilities: Float32Array;
  /** [L − 1], the probability of all other ids: a sum over them, accurate however small. */
  readonly missingMass: Float32Array;
  /** [L − 1], log Σ exp(logit / temperature). */
  readonly logSumExp: Float32Array;
}

/** Where a sequence lies in the results of a program. */
export interface Place {
  readonly index: number;
  /** Its first token among the N of the batch. */
  readonly offset: number;
  readonly length: number;
}

/** In double precision, from logits relative to the greatest one. */
export function readScored(results: NamedNumbers, place: Place, shape: ScoringShape): ScoredSequence {
  const { topK } = shape;
  const { index, offset, length } = place;
  const count = length - 1;
  const of = (name: string, width = 1): Numbers =>
    (results[name] ?? new Float32Array()).subarray(offset * width, (offset + count) * width);
  const [ids, logits, next] = [of('topIds', topK), of('topLogits', topK), of('nextLogits')];
  const greatest = (position: number): number => logits[position * topK] ?? Number.NaN;
  const gapAt = (logit: number, at: number): number => logit - greatest(Math.floor(at / topK));
  const sumsAt = (temperature: number) => sums(logits, of(restName(temperature)), topK, temperature);
  const plain = sumsAt(1);
  return {
    index,
    tokenLogProbabilities: Float32Array.from(
      next,
      (logit, position) => logit - greatest(position) - Math.log(plain[position] ?? Number.NaN),
    ),
    topIds: Int32Array.from(ids),
    topGaps: Float32Array.from(logits, gapAt),
    distributions: shape.temperatures.map((temperature) => {
      const sum = sumsAt(temperature);
      const rest = of(restName(temperature));
      return {
        temperature,
        topLogProbabilities: Float32Array.from(
          logits,
          (logit, at) => gapAt(logit, at) / temperature - Math.log(sum[Math.floor(at / topK)] ?? Number.NaN),
        ),
        missingMass: Float32Array.from(rest, (mass, position) => mass / (sum[position] ?? Number.NaN)),
        logSumExp: Float32Array.from(
          rest,
          (_, position) => greatest(position) / temperature + Math.log(sum[position] ?? Number.NaN),
        ),
      };
    }),
  };
}

/** Σ exp((z − z_max) / temperature) over the whole vocabulary. */
function sums(topLogits: Numbers, rest: Numbers, topK: number, temperature: number): Float64Array {
  return Float64Array.from(rest, (mass, position) => {
    const greatest = topLogits[position * topK] ?? Number.NaN;
    let sum = mass;
    for (const logit of topLogits.subarray(position * topK, (position + 1) * topK))
      sum += Math.exp((logit - greatest) / temperature);
    return sum;
  });
}
