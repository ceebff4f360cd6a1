/** Scorers by the name that a plan gives them: those that come along, and those that a user adds. */
import { NightstillError } from '../../config/errors.js';
import { exactMatch } from './exact-match.js';
import type { Scorer } from './scorer.js';

export interface ScorerRegistry {
  /** @throws gate-invalid when there is none of this id */
  get(id: string): Scorer;
  readonly ids: readonly string[];
}

/**
 * @param added a scorer with the id of another is refused: results of both would be taken for each other's
 * @throws gate-invalid
 */
export function createScorerRegistry(added: readonly Scorer[] = []): ScorerRegistry {
  const scorers = new Map<string, Scorer>();
  for (const scorer of [exactMatch, ...added]) {
    if (scorers.has(scorer.id)) throw invalid(`expected scorers of different ids, found "${scorer.id}" twice`);
    scorers.set(scorer.id, scorer);
  }
  const ids = [...scorers.keys()].toSorted();
  return {
    ids,
    get(id) {
      const scorer = scorers.get(id);
      if (scorer) return scorer;
      throw invalid(`expected one of the scorers ${ids.join(', ')}, found "${id}"`);
    },
  };
}

const invalid = (message: string): NightstillError => new NightstillError('gate-invalid', message);
