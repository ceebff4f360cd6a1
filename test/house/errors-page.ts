/** Lists the table of failures as docs/errors.md shows it: one row a code, in alphabetical order. */
import { failures, type Failure } from '../../config/failures.js';
import { table } from './sections.js';

export function listFailures(): string {
  const rows = Object.entries<Failure>(failures)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([code, { fault, retryable, remedy }]): [string, string, string, string] => [
      `\`${code}\``,
      fault,
      retryable ? 'yes' : 'no',
      remedy.replaceAll('|', '\\|'),
    ]);
  return table([['code', 'fault', 'retryable', 'what to do'], ...rows]);
}
