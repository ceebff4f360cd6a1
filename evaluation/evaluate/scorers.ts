/** The scorers that an evaluation names, of the versions that it names. */
import { scorerIdOf, scorerVersions } from '../../config/evaluate-options.js';
import { NightstillError } from '../../config/errors.js';
import type { ScorerVersions } from '../../config/scorer-module.js';
import { versionsOf } from '../scorers/describe-scorers.js';
import { openOwnScorers } from '../scorers/own-scorers.js';
import { createScorerRegistry, type ScorerRegistry } from '../scorers/registry.js';
import type { Scorer } from '../scorers/scorer.js';
import { createSqlScorer } from '../sql/sql-scorer.js';

export interface OpenScorers {
  /** In the order of the names. */
  readonly scorers: readonly Scorer[];
  /** Of those of the user's own that this worker has; none where none of them is named. */
  readonly ownVersions: ScorerVersions;
  readonly close: () => Promise<void>;
}

interface Sources {
  /** Of `sql-execution`. */
  readonly database: Uint8Array | undefined;
  /** Path of a module with scorers of the user's own. */
  readonly module: string | undefined;
}

/**
 * @param names with versions, as options have them that were checked
 * @throws scorers-invalid; scorer-missing for one that is not here, or is of another version
 */
export async function openScorers(names: readonly string[], { database, module }: Sources): Promise<OpenScorers> {
  const isOwn = names.some((name) => !Object.hasOwn(scorerVersions, scorerIdOf(name)));
  const own = isOwn && module !== undefined ? await openOwnScorers(module) : [];
  const sql = database === undefined ? [] : [createSqlScorer({ database })];
  const close = async (): Promise<void> => {
    for (const scorer of [...sql, ...own]) await scorer.close?.();
  };
  try {
    const registry = createScorerRegistry([...sql, ...own]);
    return { scorers: names.map((name) => named(name, registry)), ownVersions: versionsOf(own), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function named(name: string, registry: ScorerRegistry): Scorer {
  const id = scorerIdOf(name);
  const scorer = registry.ids.includes(id) ? registry.get(id) : undefined;
  if (scorer && name === `${id}@${scorer.version}`) return scorer;
  const found = scorer ? `${id}@${scorer.version}` : `only ${registry.ids.join(', ')}`;
  throw new NightstillError('scorer-missing', `expected the scorer ${name} on this worker, found ${found}`);
}
