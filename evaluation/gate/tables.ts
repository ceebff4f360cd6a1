/**
 * What a gate reads: one score an item by system, and what was observed beside them. Scores are matched by item id, never by
 * place: an item that one system has and another has not is an error that names it, since a test on what is left would compare
 * different questions.
 */
import { NightstillError } from '../../config/errors.js';
import type { System } from '../../config/gate-schema.js';
import type { Digest } from '../../storage/index.js';
import type { ScoreKind } from '../scorers/scorer.js';

/** Item id → score. */
export type ItemScores = Readonly<Record<string, number>>;

export interface ScoreTable {
  readonly kind: ScoreKind;
  readonly candidate: ItemScores;
  readonly others: { readonly [Name in System]?: ItemScores };
}

/** A measurement that differs from one execution to the next; `source` says which execution's it is. */
export interface Observation {
  readonly value: number;
  readonly source: string;
}

export interface GateTables {
  /** Digest of the candidate's weights. */
  readonly candidate: Digest;
  /** Of what serves now; null when nothing does. */
  readonly champion: Digest | null;
  /** Scorer → scores. */
  readonly scores: Readonly<Record<string, ScoreTable>>;
  /** Of the candidate. */
  readonly observations: Readonly<Record<string, Observation>>;
}

export interface PairedScores {
  readonly kind: ScoreKind;
  readonly candidate: readonly number[];
  readonly other: readonly number[];
}

/** @throws gate-invalid when there is no such score */
export function tableOf({ scores }: GateTables, score: string): ScoreTable {
  const table = Object.hasOwn(scores, score) ? scores[score] : undefined;
  if (table) return table;
  throw new NightstillError(
    'gate-invalid',
    `expected one of the scores ${Object.keys(scores).toSorted().join(', ') || '(none)'}, found "${score}"`,
  );
}

/**
 * The candidate's scores in the order of their item ids, so that the order of a table decides nothing.
 * @throws evaluation-invalid when there are none, or one is not of its kind
 */
export function candidateScores(tables: GateTables, score: string): number[] {
  const { kind, candidate } = tableOf(tables, score);
  return valuesOf(candidate, idsOf(candidate), `${score} of the candidate`, kind);
}

/** @throws gate-invalid without such a system; evaluation-invalid when an item is scored for one of the two only */
export function pairedScores(tables: GateTables, score: string, system: System): PairedScores {
  const { kind, candidate, others } = tableOf(tables, score);
  const other = others[system];
  if (!other) throw new NightstillError('gate-invalid', `${score}: expected scores of the ${system}, found none`);
  const ids = idsOf(candidate);
  const surplus = idsOf(other).find((id) => !Object.hasOwn(candidate, id));
  if (surplus !== undefined) throw missing(score, 'candidate', surplus);
  return {
    kind,
    candidate: valuesOf(candidate, ids, `${score} of the candidate`, kind),
    other: ids.map((id) => {
      if (!Object.hasOwn(other, id)) throw missing(score, system, id);
      return valueOf(other, id, `${score} of the ${system}`, kind);
    }),
  };
}

const idsOf = (scores: ItemScores): string[] => Object.keys(scores).toSorted();

function valuesOf(scores: ItemScores, ids: readonly string[], what: string, kind: ScoreKind): number[] {
  if (ids.length === 0) throw invalid(`${what}: expected at least one item, found none`);
  return ids.map((id) => valueOf(scores, id, what, kind));
}

function valueOf(scores: ItemScores, id: string, what: string, kind: ScoreKind): number {
  const value = scores[id];
  if (kind === 'mean' ? Number.isFinite(value) : value === 0 || value === 1) return value as number;
  throw invalid(`${what}, item ${id}: expected ${kind === 'mean' ? 'a finite number' : '0 or 1'}, found ${value}`);
}

const missing = (score: string, system: string, id: string): NightstillError =>
  invalid(`${score}: expected every item scored for every system, found item ${id} without a score of the ${system}`);

const invalid = (message: string): NightstillError => new NightstillError('evaluation-invalid', message);
