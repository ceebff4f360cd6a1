/**
 * What happened in a run, in the order of time: every node's work with its worker, its end and its failures. From Temporal's
 * history and what is pending, so no worker is needed. Temporal keeps no event of an attempt that was followed by another: of
 * those, the number and the last failure are told.
 */
import type { ApprovalEvent } from './approval-records.js';
import type { ActivityEnd, ActivityRecord, RunHistory } from './run-history.js';
import { RunReader, type RunReference } from './run-reader.js';
import type { FailureView, RunView } from './run-view.js';

interface At {
  readonly atMs: number;
}

/** Of a node: `part` tells the lookup of its result, and what it asks a person, from its work. */
interface OfNode extends At {
  readonly node: string;
  readonly part: 'approval' | 'lookup' | 'stage';
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
  | ApprovalEvent
  | (At & { readonly type: 'run-ended'; readonly status: RunView['status']; readonly failure?: FailureView });

/**
 * Of a run that its night has not begun: nothing while it still may, and only the end where it never will.
 * @throws run-missing, run-unreadable, temporal-unavailable, temporal-refused
 */
export async function runLog(run: RunReference): Promise<RunLogEntry[]> {
  const reader = new RunReader(run);
  const view = await reader.look();
  return entriesOf(reader.history, view).sort((one, other) => one.atMs - other.atMs);
}

function entriesOf({ activities, approvals, plan, startedAtMs }: RunHistory, view: RunView): RunLogEntry[] {
  // The view knows also the end of a run that never began, and so has no history.
  const { endedAtMs, status, failure } = view;
  const nodes = new Set(plan?.plan.nodes.map(({ id }) => id));
  return [
    ...(startedAtMs === undefined ? [] : [{ type: 'run-started' as const, atMs: startedAtMs }]),
    ...approvals.events,
    ...activities.flatMap((activity) => {
      const of = partOf(activity);
      return nodes.has(of.node) ? entriesOfActivity(activity, of) : [];
    }),
    ...view.nodes.flatMap((node) => entriesOfPending(node, activities)),
    ...(endedAtMs === undefined
      ? []
      : [{ type: 'run-ended' as const, atMs: endedAtMs, status, ...(failure && { failure }) }]),
  ];
}

/** The activity of a node has its id, what comes before it that of its part as well. */
function partOf({ activityId }: ActivityRecord): Pick<OfNode, 'node' | 'part'> {
  const [node = '', part] = activityId.split(':');
  return { node, part: part === 'approval' || part === 'lookup' ? part : 'stage' };
}

function entriesOfActivity(activity: ActivityRecord, of: Pick<OfNode, 'node' | 'part'>): RunLogEntry[] {
  const { scheduledAtMs, startedAtMs, attempt = 1, worker = '', previousFailure, endedAtMs, end, failure } = activity;
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
function entriesOfPending(
  { id: node, activity }: RunView['nodes'][number],
  activities: readonly ActivityRecord[],
): RunLogEntry[] {
  const open = activities.findLast((record) => partOf(record).node === node && record.end === undefined);
  if (!activity || !open) return [];
  const { attempt, worker = '', startedAtMs, lastFailure, state } = activity;
  const of = { ...partOf(open), attempt };
  if (state === 'backing-off' || state === 'waiting')
    return lastFailure ? [{ type: 'waiting', atMs: Date.now(), ...of, previousFailure: lastFailure }] : [];
  if (startedAtMs === undefined) return [];
  return [{ type: 'started', atMs: startedAtMs, ...of, worker, ...(lastFailure && { previousFailure: lastFailure }) }];
}
