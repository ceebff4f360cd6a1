/** What training is fed with: samples of tokens, and which of their tokens are learned. */
import type { Conversation } from './conversations.js';

/** Tokens `start` … `end`−1 of a sample. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface EncodedConversation {
  readonly ids: Int32Array;
  /** The tokens of answers, which are learned: ascending, apart from each other, none of them empty. */
  readonly trained: readonly Span[];
}

export interface Sample extends EncodedConversation {
  /** As the dataset has it, for messages: two samples may have one id. What tells samples apart is their number. */
  readonly id: string;
  /** Of one that was cut from a longer sample: the id of that one. */
  readonly pieceOf?: string;
}

/** A tokenizer with its chat template. */
export interface ConversationEncoder {
  readonly encodeConversation: (conversation: Conversation) => EncodedConversation;
  /** Of the tokenizer: another digest means that ids may mean other text. */
  readonly digest: string;
  readonly templateDigest: string;
  /** Ids are below it. */
  readonly vocabularySize: number;
}

/** Samples by number, wherever they lie. */
export interface SampleSource {
  /** Tells apart what would train differently. */
  readonly digest: string;
  readonly samples: number;
  /** Tokens of the longest sample. */
  readonly longest: number;
  /** Tokens of a sample, without reading it. */
  readonly lengthOf: (sample: number) => number;
  readonly read: (sample: number) => Promise<Sample>;
}

/** Tokens of a sample whose prediction is learned. Its first token is predicted by nothing. */
export const countTrained = (trained: readonly Span[]): number =>
  trained.reduce((sum, { start, end }) => sum + Math.max(0, end - Math.max(start, 1)), 0);

/** Ascending, apart from each other, not empty, within the tokens? */
export function areSpans(spans: readonly Span[], tokens: number): boolean {
  let previous = 0;
  return spans.every(({ start, end }) => {
    const sound = Number.isInteger(start) && Number.isInteger(end) && start >= previous && end > start && end <= tokens;
    previous = end;
    return sound;
  });
}
