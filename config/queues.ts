/**
 * Task queues: one per capability, under a prefix, so that two projects share a namespace. A worker of a role polls the
 * queue of its name; a plan names the queue of each node. Pure: workflows may import it.
 */

/** What a worker is able to do: `orchestrator` decides and looks up, `io` moves bytes, `gpu` computes, on whatever device it has. */
export const roles = ['orchestrator', 'io', 'gpu'] as const;
export type Role = (typeof roles)[number];

export const defaultQueuePrefix = 'nightstill';

export const queueName = (role: Role, prefix: string = defaultQueuePrefix): string => `${prefix}-${role}`;
