/**
 * Samples into the rows of a batch of fixed shape [B, T], several to a row as segments that do not see each other. A row begins
 * with the oldest sample of the look-ahead window, so that none waits for ever, and is filled with the longest samples of the
 * window that still fit (best fit; the older of two equals). The order follows from the lengths alone. No sample is cut.
 */
import { nextTokenTargets } from './next-token.js';
import type { Sample } from './samples.js';

/** Where a sample lies in a batch. */
export interface Placement {
  readonly row: number;
  /** First position of the sample in its row. */
  readonly start: number;
  readonly sample: Sample;
}

/** One micro-batch. Arrays are [rows, columns], row by row; B = rows, T = columns. */
export interface Batch {
  readonly rows: number;
  readonly columns: number;
  readonly ids: Int32Array;
  /** The id that follows in the same segment; 0 at the last token of a segment and in padding. */
  readonly labels: Int32Array;
  /** 1 where the label is a token to be learned, else 0: in prompts, at the last token of a segment, in padding. */
  readonly weights: Float32Array;
  /** 0 … of each token within its segment. */
  readonly positions: Int32Array;
  /** 1 … of each token's segment within its row; 0 is padding. */
  readonly segments: Int32Array;
  readonly placements: readonly Placement[];
  /** Tokens that are not padding. */
  readonly tokens: number;
  /** Sum of the weights. */
  readonly trainedTokens: number;
}

/** The samples ahead, oldest first. */
export interface Window<Entry> {
  /** As many as the window may hold; fewer only where the samples end. Called before every choice. */
  filled(): readonly Entry[];
  take(index: number): Entry;
  lengthOf(entry: Entry): number;
}

/** The entries of the next row, or none when the window stays empty. None may be longer than `columns`. */
export function packRow<Entry>(window: Window<Entry>, columns: number): Entry[] {
  if (window.filled().length === 0) return [];
  const first = window.take(0);
  const row = [first];
  let free = columns - window.lengthOf(first);
  for (let index = bestFit(window, free); index !== -1; index = bestFit(window, free)) {
    const entry = window.take(index);
    free -= window.lengthOf(entry);
    row.push(entry);
  }
  return row;
}

/** Index of the longest entry that fits, −1 when none does. */
function bestFit<Entry>(window: Window<Entry>, free: number): number {
  let best = -1;
  let bestLength = 0;
  for (const [index, entry] of window.filled().entries()) {
    const length = window.lengthOf(entry);
    if (length > free || length <= bestLength) continue;
    best = index;
    bestLength = length;
    if (length === free) break;
  }
  return best;
}

/** @param packed the samples of each row, in order; rows that are missing are padding. */
export function buildBatch(packed: readonly (readonly Sample[])[], rows: number, columns: number): Batch {
  const size = rows * columns;
  const [ids, positions, segments] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
  const tokenWeights = new Float32Array(size);
  const placements: Placement[] = [];
  let tokens = 0;
  for (const [row, samples] of packed.entries()) {
    let start = 0;
    for (const [index, sample] of samples.entries()) {
      placeSample({ ids, positions, segments, tokenWeights }, row * columns + start, sample, index + 1);
      placements.push({ row, start, sample });
      start += sample.ids.length;
    }
    tokens += start;
  }
  const targets = nextTokenTargets({ ids, rowLength: columns, tokenWeights, segments });
  return { rows, columns, ids, positions, segments, ...targets, placements, tokens };
}

interface PlacedTokens extends Pick<Batch, 'ids' | 'positions' | 'segments'> {
  /** 1 for each token that is to be learned. */
  readonly tokenWeights: Float32Array;
}

function placeSample(placed: PlacedTokens, offset: number, { ids, trained }: Sample, segment: number): void {
  placed.ids.set(ids, offset);
  placed.segments.fill(segment, offset, offset + ids.length);
  for (let position = 0; position < ids.length; position++) placed.positions[offset + position] = position;
  for (const { start, end } of trained) placed.tokenWeights.fill(1, offset + start, offset + end);
}
