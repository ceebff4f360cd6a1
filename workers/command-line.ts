/** What the command line of a worker process says. Anything else on it is a mistake, and said to be one. */
import { parseArgs } from 'node:util';
import { defaultQueuePrefix } from '../config/queues.js';

export const workerUsage = 'flags of a worker: [--queue-prefix <prefix>], default nightstill';

/**
 * `--queue-prefix <prefix>`.
 * @param argv as in `process.argv`: the program is its second word
 * @throws TypeError of `parseArgs` for unknown flags and missing values: see `isUsageError`
 */
export function queuePrefixArgument(argv: readonly string[]): string {
  const { values } = parseArgs({ args: argv.slice(2), options: { 'queue-prefix': { type: 'string' } } });
  return values['queue-prefix'] ?? defaultQueuePrefix;
}
