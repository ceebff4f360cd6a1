/**
 * What happened in a run, in the order of time: every node's work with its worker, its end and its failures. From Temporal's
 * history and what is pending, so no worker is needed. Temporal keeps no event of an attempt that was followed by another: of
 * those, the number and the last failure are told.
 */
import type { ActivityEnd, ActivityRecord, RunHistory } from './run-history.js';
import { RunReader, type RunReference } from './run-reader.js';
import type { FailureView, RunView } from './run-view.js';

interface At {
  readonly atMs: number;
}

/** Of a node: `part` tells the lookup of its result from its work. */
interface OfNode extends At {
  readonly node: string;
  readonly part: 'lookup' | 'stage';
}

export type RunLogEntry =
  | (At & { readonly type: 'run-started' })
  | (OfNode & { readonly type: 'scheduled'; readonly queue: string })
  | (OfNode & {
      readonly type: 'started';
      readonly attempt: number;
      readonly worker: string;
      /** What the attempt before ended with. */
      readonly previousFailure?: FailureView;
    })
  | (OfNode & { readonly type: 'waiting'; readonly attempt: number; readonly previousFailure: FailureView })
  | (OfNode & { readonly type: ActivityEnd; readonly worker?: string; readonly failure?: FailureView })
  | (At & { readonly type: 'run-ended'; readonly status: RunView['status']; readonly failure?: FailureView });

/** @throws run-missing, run-unreadable, temporal-unavailable */
export async function runLog(run: RunReference): Promise<RunLogEntry[]> {
  const reader = new RunReader(run);
  const view = await reader.look();
  return entriesOf(reader.history, view).sort((one, other) => one.atMs - other.atMs);
}

function entriesOf({ activities, plan, startedAtMs = 0, end }: RunHistory, view: RunView): RunLogEntry[] {
  const nodes = new Set(plan?.plan.nodes.map(({ id }) => id));
  return [
    { type: 'run-started', atMs: startedAtMs },
    ...activities.flatMap((activity) => {
      const [node = '', lookup] = activity.activityId.split(':');
      return nodes.has(node) ? entriesOfActivity(activity, node, lookup ? 'lookup' : 'stage') : [];
    }),
    ...view.nodes.flatMap(entriesOfPending),
    ...(end
      ? [
          {
            type: 'run-ended' as const,
            atMs: end.atMs,
            status: end.status,
            ...(end.failure && { failure: end.failure }),
          },
        ]
      : []),
  ];
}

function entriesOfActivity(activity: ActivityRecord, node: string, part: OfNode['part']): RunLogEntry[] {
  const { scheduledAtMs, startedAtMs, attempt = 1, worker = '', previousFailure, endedAtMs, end, failure } = activity;
  const of = { node, part };
  return [
    { type: 'scheduled', atMs: scheduledAtMs, ...of, queue: activity.queue },
    ...(startedAtMs === undefined
      ? []
      : [
          {
            type: 'started' as const,
            atMs: startedAtMs,
            ...of,
            attempt,
            worker,
            ...(previousFailure && { previousFailure }),
          },
        ]),
    ...(end && endedAtMs !== undefined
      ? [{ type: end, atMs: endedAtMs, ...of, ...(worker && { worker }), ...(failure && { failure }) }]
      : []),
  ];
}

/** The history does not show an attempt before it has ended. */
function entriesOfPending({ id: node, status, activity }: RunView['nodes'][number]): RunLogEntry[] {
  if (!activity) return [];
  const { attempt, worker = '', startedAtMs, lastFailure, state } = activity;
  const of = { node, part: status === 'looking-up' ? ('lookup' as const) : ('stage' as const), attempt };
  if (state === 'backing-off' || state === 'waiting')
    return lastFailure ? [{ type: 'waiting', atMs: Date.now(), ...of, previousFailure: lastFailure }] : [];
  if (startedAtMs === undefined) return [];
  return [{ type: 'started', atMs: startedAtMs, ...of, worker, ...(lastFailure && { previousFailure: lastFailure }) }];
}
