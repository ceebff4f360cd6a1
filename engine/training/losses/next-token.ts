/**
 * The causal shift, in one place: the logits at position t are about the token at t + 1 and about nothing else. Everything that
 * belongs to a predicted token (its label, its weight, a teacher's distribution for it) moves one position to the left; the
 * last position of a row or of a packed segment predicts nothing and has weight 0.
 */
export interface TokenRows {
  /** Token ids, `rowLength` to a row, rows one after another. */
  readonly ids: Int32Array;
  readonly rowLength: number;
  /** For each token, how much its prediction counts: 0 for prompt and padding, usually 1 for response tokens. */
  readonly tokenWeights: Float32Array;
  /** For each token, the segment of its row that it belongs to; all of one segment when absent. */
  readonly segments?: Int32Array;
}

export interface NextTokenTargets {
  /** The id to predict at each position; 0 where nothing is predicted. */
  readonly labels: Int32Array;
  readonly weights: Float32Array;
  /** For each position, the index of the token it predicts, where a teacher's row is to be taken from; −1 for none. */
  readonly predicted: Int32Array;
  /** Σ weights: what this batch adds to the global token count. */
  readonly tokenCount: number;
}

/** The first token of a segment is never predicted: no logits of its segment come before it. */
export function nextTokenTargets({ ids, rowLength, tokenWeights, segments }: TokenRows): NextTokenTargets {
  const labels = new Int32Array(ids.length);
  const weights = new Float32Array(ids.length);
  const predicted = new Int32Array(ids.length).fill(-1);
  let tokenCount = 0;
  for (let position = 0; position + 1 < ids.length; position++) {
    const next = position + 1;
    const sameSegment = segments === undefined || segments[position] === segments[next];
    if (next % rowLength === 0 || !sameSegment) continue;
    labels[position] = ids[next] ?? 0;
    weights[position] = tokenWeights[next] ?? 0;
    predicted[position] = next;
    tokenCount += weights[position] ?? 0;
  }
  return { labels, weights, predicted, tokenCount };
}
