/**
 * Does anybody serve a task queue? Decided from what the server knows, and silence is declared only when it is certain. What
 * was seen of Temporal 1.31: an idle worker renews its poll every 60 s; one whose slots are all taken does not poll for as long
 * as it works; a poller is listed for five minutes, dead or alive; a worker that ends in order says so at once; one that
 * lives says so at its own interval (60 s unless set; workers that `nightstill` starts: 2 s), for the first time after one interval.
 * Pure.
 */

export interface QueueSighting {
  /** Whoever polled in the last minutes; times by the server's clock. */
  readonly pollers: readonly { readonly identity: string; readonly polledAtMs: number }[];
  /** What workers last said of themselves, times by their own clocks, or by that of who listens (`worker-words.ts`); empty on servers before 1.31. */
  readonly workers: readonly WorkerSighting[];
}

export interface WorkerSighting {
  /** Of one worker of one process; others may have its identity. */
  readonly key: string;
  readonly identity: string;
  readonly saidAtMs: number;
  readonly intervalMs: number;
  /** It said that it ends. */
  readonly ending: boolean;
  /** It may have fallen silent, or its clock is late. */
  readonly inDoubt?: boolean;
}

export interface QueueHealth {
  readonly served: boolean;
  /** Only workers in doubt serve it: who looks again soon knows. */
  readonly inDoubt?: true;
  /** The worker that was seen last: it serves, or it did. */
  readonly worker?: string;
  readonly seenAtMs?: number;
}

/** A free worker polls more often than this. */
const longestPollMs = 70_000;
/** How far clocks may differ. */
const toleranceMs = 4000;

/** It has missed two of its own intervals. */
export const isSilent = ({ saidAtMs, intervalMs }: WorkerSighting, nowMs: number): boolean =>
  nowMs - saidAtMs > 2 * intervalMs + toleranceMs;

const isGone = (worker: WorkerSighting, nowMs: number): boolean =>
  worker.ending || (worker.inDoubt !== true && isSilent(worker, nowMs));

/** Has it spoken, and speaks no more? Of one that never spoke it is not known: with all its slots taken it does not poll either. */
function isKnownGone(workers: readonly WorkerSighting[], identity: string, nowMs: number): boolean {
  const said = workers.filter((worker) => worker.identity === identity);
  return said.length > 0 && said.every((worker) => isGone(worker, nowMs));
}

/**
 * A worker that was killed is silent two intervals after it last spoke, and where it never spoke, 70 s after its last poll.
 * @param atWork identities of those who work at something from this queue: they serve it, though they may not poll
 */
export function queueHealth(
  { pollers, workers }: QueueSighting,
  nowMs: number,
  atWork: readonly string[] = [],
): QueueHealth {
  const lastWords = new Map<string, number>();
  for (const worker of workers)
    if (isGone(worker, nowMs))
      lastWords.set(worker.identity, Math.max(worker.saidAtMs, lastWords.get(worker.identity) ?? 0));
  const sightings = [
    ...pollers.map(({ identity, polledAtMs }) => ({
      identity,
      atMs: polledAtMs,
      // Only a successor of the same name polls after the last word of the one that is gone.
      serves: nowMs - polledAtMs <= longestPollMs && polledAtMs > (lastWords.get(identity) ?? -Infinity) + toleranceMs,
    })),
    ...workers.map((worker) => ({ identity: worker.identity, atMs: worker.saidAtMs, serves: !isGone(worker, nowMs) })),
  ].sort((one, other) => other.atMs - one.atMs);
  const found = sightings.find(({ serves }) => serves) ?? sightings[0];
  const serving = [
    ...sightings.filter(({ serves }) => serves).map(({ identity }) => identity),
    ...atWork.filter((identity) => !isKnownGone(workers, identity, nowMs)),
  ];
  const doubted = workers.filter(({ inDoubt }) => inDoubt).map(({ identity }) => identity);
  const inDoubt = serving.length > 0 && serving.every((identity) => doubted.includes(identity));
  return {
    served: serving.length > 0,
    ...(inDoubt && { inDoubt }),
    ...(found && { worker: found.identity, seenAtMs: found.atMs }),
  };
}
