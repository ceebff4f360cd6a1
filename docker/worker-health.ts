/**
 * Health of the worker in this container: does Temporal see a worker of this host that serves the queue of its role? Asked of
 * Temporal, because a process may live and serve nothing. Exit status 0 when it does, else 1 and one line that says why.
 *
 *     node dist/docker/worker-health.js <role> [queue prefix]
 */
import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { queueHealth } from '../config/queue-health.js';
import { sightQueue } from '../config/queue-sighting.js';
import { queueName, roles } from '../config/queues.js';
import { readTemporalSettings } from '../workers/temporal-settings.js';

const answerWithinMs = 10_000;

async function main([name, prefix]: readonly string[]): Promise<string | undefined> {
  const role = roles.find((known) => known === name);
  if (role === undefined) return `expected a role of ${roles.join(', ')}, found ${name ?? 'none'}`;
  const queue = queueName(role, prefix);
  const { connectionOptions, namespace } = readTemporalSettings();
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: answerWithinMs });
  try {
    const { pollers, workers } = await connection.withDeadline(Date.now() + answerWithinMs, () =>
      sightQueue(connection.workflowService, namespace, queue),
    );
    const isHere = ({ identity }: { readonly identity: string }): boolean =>
      identity.startsWith(`nightstill-${role}@${hostname()}#`);
    const here = { pollers: pollers.filter(isHere), workers: workers.filter(isHere) };
    const { served, worker = 'none' } = queueHealth(here, Date.now());
    return served ? undefined : `expected a worker of ${hostname()} at ${queue}, found ${worker}`;
  } finally {
    await connection.close();
  }
}

const problem = await main(process.argv.slice(2)).catch((error: unknown) =>
  error instanceof Error ? error.message : String(error),
);
if (problem !== undefined) console.error(problem);
process.exitCode = problem === undefined ? 0 : 1;
