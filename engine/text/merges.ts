/**
 * The merges of byte-pair encoding: again and again, the most frequent pair of neighbouring tokens becomes a token. Counts are kept
 * up to date word by word, so a merge costs only the words that hold its pair. Ties are broken by the tokens' ids, so equal
 * words with equal counts give equal merges on every machine, in whatever order the words came.
 *
 * Source: Sennrich, Haddow, Birch, "Neural machine translation of rare words with subword units" (2016); order of ties as in
 * Hugging Face's trainer.
 */
import { createPairQueue, firstOf, pairOf, secondOf } from './pair-queue.js';

export interface Merge {
  readonly first: number;
  readonly second: number;
  /** A new token, or one of the same text that another merge made before. */
  readonly token: number;
}

export interface LearnedMerges {
  /** Text of each token, by id; the alphabet first. */
  readonly tokens: readonly string[];
  readonly merges: readonly Merge[];
}

interface Word {
  readonly symbols: number[];
  readonly count: number;
}

/**
 * @param words how often each occurs; over the characters of `alphabet`.
 * @param tokensWanted including the alphabet; fewer are made when no pair is left.
 * @param onMerge hears of each new token.
 */
export function learnMerges(
  words: ReadonlyMap<string, number>,
  alphabet: readonly string[],
  tokensWanted: number,
  onMerge: (tokens: number) => void = () => {},
): LearnedMerges {
  const tokens = [...alphabet];
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const state = countPairs(words, idOf);
  const merges: Merge[] = [];
  while (tokens.length < tokensWanted) {
    const pair = state.queue.pop((candidate) => state.counts.get(candidate) ?? 0);
    if (pair === undefined) break;
    const [first, second] = [firstOf(pair), secondOf(pair)];
    const text = `${tokens[first]}${tokens[second]}`;
    const known = idOf.get(text);
    const token = known ?? tokens.length;
    if (known === undefined) {
      tokens.push(text);
      idOf.set(text, token);
    }
    merges.push({ first, second, token });
    applyMerge(state, { first, second, token });
    if (known === undefined) onMerge(tokens.length);
  }
  return { tokens, merges };
}

interface PairState {
  readonly words: readonly Word[];
  readonly counts: Map<number, number>;
  /** Indices of words that hold a pair, or held it once. */
  readonly places: Map<number, number[]>;
  readonly queue: ReturnType<typeof createPairQueue>;
}

function countPairs(occurrences: ReadonlyMap<string, number>, idOf: ReadonlyMap<string, number>): PairState {
  const words: Word[] = [];
  const counts = new Map<number, number>();
  const places = new Map<number, number[]>();
  for (const [text, count] of occurrences) {
    const symbols = Array.from(text, (character) => idOf.get(character) ?? 0);
    for (let index = 1; index < symbols.length; index++)
      addPair(counts, places, pairOf(symbols[index - 1] ?? 0, symbols[index] ?? 0), count, words.length);
    words.push({ symbols, count });
  }
  const queue = createPairQueue();
  for (const [pair, count] of counts) queue.push(pair, count);
  return { words, counts, places, queue };
}

function addPair(
  counts: Map<number, number>,
  places: Map<number, number[]>,
  pair: number,
  count: number,
  word: number,
): void {
  counts.set(pair, (counts.get(pair) ?? 0) + count);
  const at = places.get(pair);
  if (at === undefined) places.set(pair, [word]);
  else if (at.at(-1) !== word) at.push(word);
}

function applyMerge({ words, counts, places, queue }: PairState, merge: Merge): void {
  const merged = pairOf(merge.first, merge.second);
  const touched = new Set(places.get(merged));
  const grown = new Set<number>();
  places.delete(merged);
  for (const index of touched) {
    const word = words[index];
    if (word === undefined) continue;
    const change = (first: number, second: number, by: 1 | -1): void => {
      const pair = pairOf(first, second);
      if (by === 1) {
        addPair(counts, places, pair, word.count, index);
        grown.add(pair);
      } else counts.set(pair, (counts.get(pair) ?? 0) - word.count);
    };
    mergeWithin(word.symbols, merge, change);
  }
  counts.delete(merged);
  places.delete(merged);
  for (const pair of grown) {
    const count = counts.get(pair) ?? 0;
    if (count > 0) queue.push(pair, count);
  }
}

/** Replaces the pair from left to right, in place, and tells which neighbours come and go. */
function mergeWithin(
  symbols: number[],
  { first, second, token }: Merge,
  change: (first: number, second: number, by: 1 | -1) => void,
): void {
  let kept = 0;
  for (let index = 0; index < symbols.length; index++) {
    const symbol = symbols[index] ?? 0;
    if (symbol !== first || symbols[index + 1] !== second) {
      symbols[kept++] = symbol;
      continue;
    }
    const previous = kept > 0 ? symbols[kept - 1] : undefined;
    const next = symbols[index + 2];
    if (previous !== undefined) {
      change(previous, first, -1);
      change(previous, token, 1);
    }
    if (next !== undefined) {
      change(second, next, -1);
      change(token, next, 1);
    }
    symbols[kept++] = token;
    index += 1;
  }
  symbols.length = kept;
}
