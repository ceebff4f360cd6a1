/**
 * Makes a row of logits of what an endpoint says of a prompt, or says why it cannot: the endpoint must have read the very tokens of the
 * student. Where it names tokens by id, the texts beside the ids must be those of the student's tokenizer; where it names them by
 * text alone, each text must belong to exactly one id. Ids that the student does not have are cut off, and the others scaled to 1.
 *
 * The mass outside the K kept ids is 1 − Σ p, as exact as the rounded log-probabilities are: an endpoint gives no sum over the
 * others.
 */
import { NightstillError } from '../../config/errors.js';
import type { LogitRow } from '../logits/index.js';
import type { PromptScores } from '../teachers/prompt-scores.js';
import type { TokenTexts } from './token-texts.js';

/**
 * Why there is no row. `length`: another number of tokens; `token`: another token; `text`: an id with another text; `ambiguous`: a
 * text of no id, or of several; `too-few`: fewer than K ids at a position; `vocabulary`: a position at which the student has none of
 * the K most probable ids, or none that is probable at all.
 */
export type Misfit = 'length' | 'token' | 'text' | 'ambiguous' | 'too-few' | 'vocabulary';

/** What a row must fit. */
export interface Terms {
  readonly texts: TokenTexts;
  /** Of the student: ids are below it. */
  readonly vocabularySize: number;
  readonly k: number;
}

interface Tokens {
  readonly id: string;
  readonly ids: Int32Array;
}

/** @throws teacher-mismatch where most texts are others: the teacher has another tokenizer; distribution-invalid for ids without any mass */
export function alignRow({ id, ids }: Tokens, scores: PromptScores, terms: Terms): LogitRow | Misfit {
  const { k, texts } = terms;
  const positions = ids.length - 1;
  if (scores.counts.length !== positions) return 'length';
  const named = scores.namedBy === 'id' ? namedById(scores, texts) : namedByText(scores, ids, texts);
  if (typeof named === 'string') return named;
  const topIds = new Int32Array(positions * k);
  const gaps = new Float32Array(positions * k);
  const missing = new Float64Array(positions);
  let at = 0;
  for (let position = 0; position < positions; position += 1) {
    const end = at + (scores.counts[position] ?? 0);
    const found = Array.from(named.subarray(at, end), (name, entry) => ({
      id: name,
      value: scores.logProbabilities[at + entry] ?? -Infinity,
    }));
    at = end;
    if (!found.some((entry) => entry.id === ids[position + 1])) return 'token';
    if (new Set(found.map((entry) => entry.id)).size < found.length) return 'ambiguous';
    const kept = mostProbable(found, terms);
    if (kept === 'no-mass') throw withoutMass(id, position);
    if (typeof kept === 'string') return kept;
    topIds.set(kept.ids, position * k);
    gaps.set(kept.gaps, position * k);
    missing[position] = kept.missingLogOdds;
  }
  return { id, ids, topIds, gaps, missingLogOdds: [missing] };
}

interface Entry {
  readonly id: number;
  readonly value: number;
}

function mostProbable(found: readonly Entry[], { k, vocabularySize }: Terms) {
  const order = found.toSorted((one, other) => other.value - one.value || one.id - other.id);
  if (order.length < k) return 'too-few';
  // The token that follows in the text may be listed beside the K most probable ones.
  const first = order.slice(0, k);
  const kept = first.filter(({ id }) => id < vocabularySize);
  const [greatest] = kept;
  if (greatest === undefined) return 'vocabulary';
  const mass = (entries: readonly Entry[]): number => entries.reduce((sum, { value }) => sum + Math.exp(value), 0);
  const [captured, all] = [mass(kept), mass(first)];
  // Nobody learns from a target of zeros, and no loss would say why.
  if (captured === 0) return all === 0 ? 'no-mass' : 'vocabulary';
  const missing = Math.max(0, 1 - all);
  // A row has K ids at every position. What stands for a cut one is not known to be improbable: it is part of the missing mass.
  const taken = new Set(kept.map(({ id }) => id));
  for (let free = 0; kept.length < k; free += 1) if (!taken.has(free)) kept.push({ id: free, value: -Infinity });
  return {
    ids: kept.map(({ id }) => id),
    gaps: kept.map(({ value }) => value - greatest.value),
    // Cutting takes the same factor off both masses, and so changes no odds.
    missingLogOdds: Math.log(missing) - Math.log(captured),
  };
}

/** With more texts than this that differ, the tokenizer is another one; fewer may be other ways of writing the same token. */
const shareOfAnother = 0.5;

function namedById({ names, texts: said }: PromptScores, texts: TokenTexts): Int32Array | Misfit {
  let [compared, others] = [0, 0];
  for (const [id, text] of said) {
    const same = texts.isTextOf(id, text);
    if (same === undefined) continue;
    compared += 1;
    if (!same) others += 1;
  }
  if (others > compared * shareOfAnother) throw anotherTokenizer(others, compared);
  return others === 0 ? names : 'text';
}

function namedByText({ names, texts: said, prompt }: PromptScores, ids: Int32Array, texts: TokenTexts) {
  const own = prompt.reduce((count, name, place) => count + Number(texts.names(said.get(name) ?? '', ids[place])), 0);
  if (own < ids.length * (1 - shareOfAnother)) throw anotherTokenizer(ids.length - own, ids.length);
  if (own < ids.length) return 'token' as const;
  const byPlace = new Map<number, number>();
  for (const [place, text] of said) {
    const id = texts.idOf(text);
    if (id === undefined) return 'ambiguous' as const;
    byPlace.set(place, id);
  }
  return names.map((name) => byPlace.get(name) ?? -1);
}

const withoutMass = (id: string, position: number): NightstillError =>
  new NightstillError(
    'distribution-invalid',
    `sample "${id}", position ${position}: expected a captured mass above 0, found log-probabilities of nothing`,
  );

const anotherTokenizer = (others: number, compared: number): NightstillError =>
  new NightstillError(
    'teacher-mismatch',
    `expected a teacher with the tokenizer of the student, found one that calls ${others} of ${compared} tokens otherwise`,
  );
