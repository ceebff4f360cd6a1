/** The scorers that an evaluation names, of the versions that it names. */
import { scorerIdOf, type EvaluateOptions } from '../../config/evaluate-options.js';
import { createScorerRegistry } from '../scorers/registry.js';
import type { Scorer } from '../scorers/scorer.js';
import { createSqlScorer } from '../sql/sql-scorer.js';

/**
 * @param database of `sql-execution`
 * @throws gate-invalid for a scorer that is not known here
 */
export function openScorers({ scorers }: EvaluateOptions, database: Uint8Array | undefined): readonly Scorer[] {
  const registry = createScorerRegistry(database === undefined ? [] : [createSqlScorer({ database })]);
  return scorers.map((name) => registry.get(scorerIdOf(name)));
}
