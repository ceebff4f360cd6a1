/**
 * Scores SQL by running it: right when it gives the rows that the reference gives, on the same database. Rows are a bag,
 * unless the reference orders them at its outermost level. An answer that fails, writes, or does not end scores 0.
 *
 * One database can let a wrong query pass by chance; which share does, is measured where the items are made.
 */
import { NightstillError } from '../../config/errors.js';
import { scorerVersions } from '../../config/evaluate-options.js';
import type { Score, Scorer, ScorerQuestion } from '../scorers/scorer.js';
import { sameResult } from './compare-results.js';
import type { QueryRows } from './query-outcome.js';
import { createQueryRunner, type QueryRunnerOptions } from './query-runner.js';
import { ordersRows, sqlOfAnswer } from './statement.js';

export interface SqlScorerOptions extends QueryRunnerOptions {
  /** May an answer give the right columns in another order? Default: false. */
  readonly anyColumnOrder?: boolean;
  /** Of floats. Default: 1e-9. */
  readonly tolerance?: number;
}

const right = (detail: string): Score => ({ score: 1, detail });
const wrong = (detail: string): Score => ({ score: 0, detail });

/** @throws reference-query-failed when an item has no reference or its reference has no result: by `score` */
export function createSqlScorer({ anyColumnOrder = false, tolerance = 1e-9, ...options }: SqlScorerOptions): Scorer {
  const runner = createQueryRunner(options);
  /** Of the reference before: the answers of several models to one item come one after another. */
  let before: { readonly sql: string; readonly rows: QueryRows } | undefined;

  async function rowsOfReference({ reference, item }: ScorerQuestion): Promise<QueryRows> {
    const sql = reference ?? '';
    if (before?.sql === sql) return before.rows;
    const outcome = await runner.run(sql);
    if (outcome.kind === 'refused')
      throw new NightstillError(
        'reference-query-failed',
        `expected a reference of item ${item.id} that gives rows, found ${JSON.stringify(sql)}: ${outcome.reason}, ${outcome.message}`,
        { details: { item: item.id, reason: outcome.reason } },
      );
    before = { sql, rows: outcome };
    return outcome;
  }

  return {
    id: 'sql-execution',
    version: scorerVersions['sql-execution'],
    kind: 'right-wrong',
    async score(question) {
      const wanted = await rowsOfReference(question);
      const found = await runner.run(sqlOfAnswer(question.answer));
      if (found.kind === 'refused') return wrong(`${found.reason}: ${found.message}`);
      const ordered = ordersRows(question.reference ?? '');
      const size = ({ rows, columns }: QueryRows): string => `${rows.length} rows of ${columns}`;
      return sameResult(wanted, found, { ordered, anyColumnOrder, tolerance })
        ? right(`${size(found)}, as wanted`)
        : wrong(`${size(found)}, not the ${size(wanted)} that are wanted`);
    },
    close: () => runner.close(),
  };
}
