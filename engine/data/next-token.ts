/**
 * The causal shift, in one place: the logits at position t are about the token at t + 1 and about nothing else. What belongs to a
 * predicted token, its label and its weight, moves one position to the left; the last position of a row or of a packed segment predicts
 * nothing and has weight 0.
 */
export interface TokenRows {
  /** Token ids, `rowLength` to a row, rows one after another. */
  readonly ids: Int32Array;
  readonly rowLength: number;
  /** For each token, how much its prediction counts: 0 for prompt and padding, usually 1 for tokens of answers. */
  readonly tokenWeights: Float32Array;
  /** For each token, the segment of its row that it belongs to. */
  readonly segments: Int32Array;
}

export interface NextTokenTargets {
  /** The id to predict at each position; 0 where nothing is predicted. */
  readonly labels: Int32Array;
  readonly weights: Float32Array;
  /** Sum of the weights. */
  readonly trainedTokens: number;
}

/** The first token of a segment is never predicted: no logits of its segment come before it. */
export function nextTokenTargets({ ids, rowLength, tokenWeights, segments }: TokenRows): NextTokenTargets {
  const labels = new Int32Array(ids.length);
  const weights = new Float32Array(ids.length);
  let trainedTokens = 0;
  for (let position = 0; position + 1 < ids.length; position++) {
    const next = position + 1;
    if (next % rowLength === 0 || segments[position] !== segments[next]) continue;
    const weight = tokenWeights[next] ?? 0;
    labels[position] = ids[next] ?? 0;
    weights[position] = weight;
    trainedTokens += weight;
  }
  return { labels, weights, trainedTokens };
}
