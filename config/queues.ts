/**
 * Task queues: one per capability, under a prefix, so that two projects share a namespace. A worker of a role polls the
 * queue of its name; a plan names the queue of each node. Pure: workflows may import it.
 */

/** What a worker is able to do: `orchestrator` decides and looks up, `io` moves bytes, `gpu` computes, on whatever device it has. */
export const roles = ['orchestrator', 'io', 'gpu'] as const;
export type Role = (typeof roles)[number];

/** The roles that stages are done by. */
export type StageRole = Exclude<Role, 'orchestrator'>;

export const defaultQueuePrefix = 'nightstill';

export const queueName = (role: Role, prefix: string = defaultQueuePrefix): string => `${prefix}-${role}`;

/** The role whose workers poll this queue; undefined for a queue that is none of ours. */
export const roleOfQueue = (queue: string): Role | undefined => roles.find((role) => queue.endsWith(`-${role}`));

/** What starts a worker that polls this queue. */
export function workerCommand(queue: string): string | undefined {
  const role = roleOfQueue(queue);
  if (role === undefined) return undefined;
  const prefix = queue.slice(0, -role.length - 1);
  return `nightstill worker --role ${role}${prefix === defaultQueuePrefix ? '' : ` --queue-prefix ${prefix}`}`;
}
