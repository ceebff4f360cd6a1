/** What is asked of a generator, and what it answers, token by token. */

export interface GenerationRequest {
  /** Token ids, at least one. */
  readonly prompt: Int32Array;
  readonly maximumNewTokens: number;
  /** Default: the most probable token, always. */
  readonly sampling?: Sampling;
  /** Tokens that end the text, beside those of the generator; they are not part of its text. */
  readonly stopTokens?: readonly number[];
  /** Strings that end the text where the first of them begins. They need a tokenizer. */
  readonly stopStrings?: readonly string[];
  /** Report the log-probability of each token under the model as it is, before temperature and limits. Default: false. */
  readonly logProbabilities?: boolean;
  /** Report so many most probable tokens beside each token, under the model as it is. Default: 0. */
  readonly mostProbable?: number;
  /** Ends the sequence and frees its slot before the next step. */
  readonly signal?: AbortSignal;
}

/** How a token is drawn; in this order, as transformers does it. */
export interface Sampling {
  /** An integer of 0 … 2⁵³−1. Equal seeds and prompts give equal tokens, whatever runs beside. */
  readonly seed: number;
  /** Above 0; logits are divided by it. Default: 1. */
  readonly temperature?: number;
  /** Draw among that many most probable tokens. Default: 0, no limit. */
  readonly topK?: number;
  /** Draw among the fewest most probable tokens that have together at least this probability. Default: 1. */
  readonly topP?: number;
}

export interface GeneratedToken {
  readonly kind: 'token';
  readonly id: number;
  /** What can be shown since the last event: whole characters that no stop string can take back. Empty without a tokenizer. */
  readonly text: string;
  readonly logProbability?: number;
  /** Most probable first; of equally probable ones the lower id first. */
  readonly mostProbable?: readonly TokenLogProbability[];
}

export interface TokenLogProbability {
  readonly id: number;
  readonly logProbability: number;
}

export interface GenerationEnd {
  readonly kind: 'end';
  /** A stop token, a limit (new tokens, or the capacity of the slot), a stop string, or the caller's signal. */
  readonly reason: 'stop' | 'length' | 'stop-string' | 'cancelled';
  /** The rest of the text. */
  readonly text: string;
}

export type GenerationEvent = GeneratedToken | GenerationEnd;
