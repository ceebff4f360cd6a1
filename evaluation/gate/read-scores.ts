/**
 * From artifacts of scores to the tables that a gate decides on. Nothing is averaged here: a gate compares item by item.
 */
import type { System } from '../../config/gate-schema.js';
import { readContent, type ArtifactRef, type ObjectStore } from '../../storage/index.js';
import { parseLines, type ItemResult } from '../evaluate/item-result.js';
import type { ScoreKind } from '../scorers/scorer.js';
import { meanOf } from '../statistics/bootstrap.js';
import { meanInterval } from '../statistics/mean-interval.js';
import type { Interval } from '../statistics/proportions.js';
import type { GateTables, ItemScores, ScoreTable } from './tables.js';

/** The models that were scored, the candidate among them. */
export type ScoresBySystem = { readonly candidate: ArtifactRef } & {
  readonly [Name in System]?: ArtifactRef | undefined;
};

/** What a scorer says that its scores are, by its id. */
export type ScoreKinds = Readonly<Record<string, ScoreKind>>;

/**
 * @param kinds as the evaluation has recorded them; of what is not there the kind is told by the scores
 * @throws object-missing, object-damaged, record-invalid
 */
export async function readScoreTables(
  store: ObjectStore,
  artifacts: ScoresBySystem,
  kinds: ScoreKinds = {},
): Promise<GateTables['scores']> {
  const { candidate, ...others } = artifacts;
  const own = await readResults(store, candidate);
  const results: [System, readonly ItemResult[]][] = [];
  for (const [system, artifact] of Object.entries(others) as [System, ArtifactRef | undefined][])
    if (artifact) results.push([system, await readResults(store, artifact)]);
  const known = new Map(Object.entries(kinds));
  const scorers = new Set(own.flatMap(({ scores }) => Object.keys(scores)));
  return Object.fromEntries(
    [...scorers].map((scorer) => {
      const table = (of: readonly ItemResult[]): ItemScores => scoresOf(of, scorer);
      const ofOthers = Object.fromEntries(results.map(([system, of]) => [system, table(of)]));
      const scores = { candidate: table(own), others: ofOthers };
      return [scorer, { kind: known.get(scorer) ?? kindBy(scores), ...scores }];
    }),
  );
}

async function readResults(store: ObjectStore, artifact: ArtifactRef): Promise<ItemResult[]> {
  return parseLines(await readContent(store, artifact));
}

const scoresOf = (results: readonly ItemResult[], scorer: string): ItemScores =>
  Object.fromEntries(
    results.flatMap(({ id, scores }) => {
      const found = Object.hasOwn(scores, scorer) ? scores[scorer] : undefined;
      return found ? [[id, found.score]] : [];
    }),
  );

/**
 * Of scores of which nobody has recorded what they are. It is a guess: the kind that a scorer says decides by which test a gate decides,
 * whatever the scores of one night happen to be.
 */
function kindBy({ candidate, others }: Omit<ScoreTable, 'kind'>): ScoreKind {
  const values = [candidate, ...Object.values(others)].flatMap((scores) => Object.values(scores));
  return values.every((value) => value === 0 || value === 1) ? 'right-wrong' : 'mean';
}

/** What a table says of each model, for a reader. */
export interface ScoreSummary {
  readonly scorer: string;
  readonly items: number;
  readonly value: number;
  readonly interval: Interval;
  readonly others: { readonly [Name in System]?: number };
}

export const summariseScores = (scores: GateTables['scores']): ScoreSummary[] =>
  Object.entries(scores).map(([scorer, { kind, candidate, others }]) => {
    const values = Object.values(candidate);
    const means = Object.entries(others).map(([system, of]) => [system, meanOf(Object.values(of))]);
    return {
      scorer,
      items: values.length,
      value: meanOf(values),
      interval: meanInterval(kind, values),
      others: Object.fromEntries(means) as ScoreSummary['others'],
    };
  });
