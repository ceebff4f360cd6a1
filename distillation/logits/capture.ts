/**
 * Rows of logits from the engine's scorer: the tokens of the samples are scored as they are, never written anew. Samples are
 * scored in groups, always the same ones, so that going on from any sample gives the bits that an undisturbed capture gives.
 */
import { NightstillError } from '../../config/errors.js';
import type { SampleSource, ScoredSequence, Scorer } from '../../engine/index.js';
import type { LogitRow } from './row.js';

/** Samples of a group: its tokens fill several batches, its rows fit into memory. */
const samplesOfGroup = 256;

interface Tokens {
  readonly id: string;
  readonly ids: Int32Array;
}

/** @param scored what a scorer with top-k, at the temperatures of the store, says of these tokens */
function captureRow({ id, ids }: Tokens, { topIds, topGaps, distributions }: ScoredSequence): LogitRow {
  const positions = Math.max(0, ids.length - 1);
  const k = positions === 0 ? 0 : topIds.length / positions;
  return {
    id,
    ids,
    topIds,
    gaps: topGaps,
    missingLogOdds: distributions.map(({ missingMass, topLogProbabilities: values }) =>
      Float64Array.from(missingMass, (missing, position) => {
        const captured = values
          .subarray(position * k, (position + 1) * k)
          .reduce((sum, value) => sum + Math.exp(value), 0);
        confirmProbabilities(id, position, captured, missing);
        return Math.log(missing) - Math.log(captured);
      }),
    ),
  };
}

const tolerance = 1e-3;

/** Weights that overflow give probabilities that are none. Nobody could learn from them, and a loss would not tell the cause. */
function confirmProbabilities(id: string, position: number, captured: number, missing: number): void {
  if (captured > 0 && captured <= 1 + tolerance && Math.abs(captured + missing - 1) <= tolerance) return;
  throw new NightstillError(
    'distribution-invalid',
    `sample "${id}", position ${position}: expected a captured mass above 0, up to 1, and 1 with the missing mass, ` +
      `found ${captured} and ${missing}`,
  );
}

/**
 * The rows of all samples, in their order.
 * @param from the first sample whose row is wanted
 * @param onScored called after each sample with how many are scored, those before the first included
 * @throws distribution-invalid, and what the scorer and `onScored` throw
 */
export async function* captureRows(
  scorer: Pick<Scorer, 'score'>,
  samples: Pick<SampleSource, 'samples' | 'read'>,
  from = 0,
  onScored: (samples: number) => void = () => undefined,
): AsyncGenerator<LogitRow, void, undefined> {
  for (let begin = from - (from % samplesOfGroup); begin < samples.samples; begin += samplesOfGroup) {
    const end = Math.min(begin + samplesOfGroup, samples.samples);
    const group: Tokens[] = [];
    for (let sample = begin; sample < end; sample++) group.push(await samples.read(sample));
    const rows: (LogitRow | undefined)[] = group.map(() => undefined);
    let scoredOfGroup = 0;
    for await (const scored of scorer.score(group.map(({ ids }) => ids))) {
      const tokens = group[scored.index];
      if (tokens !== undefined) rows[scored.index] = captureRow(tokens, scored);
      onScored(begin + (scoredOfGroup += 1));
    }
    for (const row of rows.slice(Math.max(0, from - begin))) if (row !== undefined) yield row;
  }
}
