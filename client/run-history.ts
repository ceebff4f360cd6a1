/**
 * What the history of a run tells: the plan that it follows, every activity from its schedule to its end, how the run ended.
 * Temporal keeps it, so no worker is needed to read it. It is given piece by piece, as it grows.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { activityNames } from '../config/activity-names.js';
import type { ApprovalQuestion } from '../config/approval.js';
import type { LookupResult, ResolvedPlan, RunResult } from '../config/plan.js';
import { ApprovalRecords } from './approval-records.js';
import type { PayloadReader, RawFailure } from './payloads.js';
import type { FailureView } from './run-view.js';
import { millisecondsOf } from './timestamps.js';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
export type HistoryEvent = NonNullable<History['events']>[number];

/** One activity. Attempts that were followed by another leave no event: only the last one has a start. */
export interface ActivityRecord {
  readonly activityId: string;
  readonly queue: string;
  readonly scheduledAtMs: number;
  startedAtMs?: number;
  attempt?: number;
  worker?: string;
  /** What the attempt before the last ended with. */
  previousFailure?: FailureView;
  cancelRequestedAtMs?: number;
  endedAtMs?: number;
  end?: ActivityEnd;
  failure?: FailureView;
  /** Of a lookup that was answered. */
  lookup?: LookupResult;
}

export type ActivityEnd = 'completed' | 'failed' | 'timed-out' | 'cancelled';

export interface RunEndRecord {
  readonly status: 'completed' | 'failed' | 'cancelled' | 'terminated';
  readonly atMs: number;
  readonly failure?: FailureView;
  readonly result?: RunResult;
}

export class RunHistory {
  /** In the order of their schedules. */
  readonly activities: ActivityRecord[] = [];
  readonly approvals: ApprovalRecords;
  plan: ResolvedPlan | undefined;
  end: RunEndRecord | undefined;
  /** The content of the plan file, as it was sent. */
  file: unknown;
  startedAtMs: number | undefined;
  /** Events that were read. */
  length = 0;
  #beforePlan = 0;
  readonly #byEvent = new Map<number, ActivityRecord & { readonly activityType: string }>();

  constructor(readonly payloads: PayloadReader) {
    this.approvals = new ApprovalRecords(payloads);
  }

  /** Activities since the plan was resolved last: of a plan that is followed anew, what was done before tells nothing. */
  get followed(): readonly ActivityRecord[] {
    return this.activities.slice(this.#beforePlan);
  }

  /** @throws run-unreadable */
  async add(events: readonly HistoryEvent[]): Promise<void> {
    for (const event of events) {
      const atMs = millisecondsOf(event.eventTime) ?? 0;
      if (event.workflowExecutionStartedEventAttributes) {
        this.startedAtMs = atMs;
        const input = await this.payloads.value(event.workflowExecutionStartedEventAttributes.input?.payloads);
        this.file = typeof input === 'object' && input !== null && 'file' in input ? input.file : undefined;
      }
      this.#schedule(event, atMs);
      await this.#startOrAskToEnd(event, atMs);
      await this.#endActivity(event, atMs);
      await this.approvals.add(event, atMs);
      this.end ??= await this.#endOf(event, atMs);
      this.length = Number(event.eventId);
    }
  }

  #schedule({ eventId, activityTaskScheduledEventAttributes: scheduled }: HistoryEvent, scheduledAtMs: number): void {
    if (!scheduled) return;
    const record = {
      activityId: scheduled.activityId ?? '',
      activityType: scheduled.activityType?.name ?? '',
      queue: scheduled.taskQueue?.name ?? '',
      scheduledAtMs,
    };
    this.#byEvent.set(Number(eventId), record);
    this.activities.push(record);
  }

  async #startOrAskToEnd(event: HistoryEvent, atMs: number): Promise<void> {
    const { activityTaskStartedEventAttributes: started, activityTaskCancelRequestedEventAttributes: asked } = event;
    const record = this.#byEvent.get(Number((started ?? asked)?.scheduledEventId));
    if (!record) return;
    if (asked) record.cancelRequestedAtMs = atMs;
    if (!started) return;
    record.startedAtMs = atMs;
    record.attempt = started.attempt ?? 1;
    record.worker = started.identity ?? '';
    const previous = await this.payloads.failure(started.lastFailure, record.activityId);
    if (previous) record.previousFailure = previous;
  }

  async #endActivity(event: HistoryEvent, endedAtMs: number): Promise<void> {
    const [end, attributes] = activityEndOf(event);
    const record = this.#byEvent.get(Number(attributes?.scheduledEventId));
    if (!end || !record) return;
    Object.assign(record, { end, endedAtMs });
    const failure = await this.payloads.failure(attributes?.failure, record.activityId);
    if (failure) record.failure = failure;
    if (end !== 'completed') return;
    const value = (): Promise<unknown> => this.payloads.value(attributes?.result?.payloads, record.activityId);
    if (record.activityType === activityNames.resolvePlan) {
      this.plan = (await value()) as ResolvedPlan;
      this.#beforePlan = this.activities.length;
    }
    if (record.activityType === activityNames.askApproval)
      this.approvals.asks(record.activityId.replace(/:approval$/, ''), (await value()) as ApprovalQuestion | null);
    if (record.activityType === activityNames.lookup) record.lookup = (await value()) as LookupResult;
  }

  async #endOf(event: HistoryEvent, atMs: number): Promise<RunEndRecord | undefined> {
    const completed = event.workflowExecutionCompletedEventAttributes;
    if (completed)
      return {
        status: 'completed',
        atMs,
        result: (await this.payloads.value(completed.result?.payloads)) as RunResult,
      };
    const failed = event.workflowExecutionFailedEventAttributes;
    if (failed) {
      const failure = await this.payloads.failure(failed.failure);
      return { status: 'failed', atMs, ...(failure && { failure }) };
    }
    if (event.workflowExecutionCanceledEventAttributes)
      return { status: 'cancelled', atMs, failure: { code: 'run-cancelled', message: 'the run was cancelled' } };
    const terminated = event.workflowExecutionTerminatedEventAttributes;
    const reason = terminated ? terminated.reason || 'the run was terminated' : 'the run had no more time';
    return terminated || event.workflowExecutionTimedOutEventAttributes
      ? { status: 'terminated', atMs, failure: { code: 'run-terminated', message: reason } }
      : undefined;
  }
}

interface EndAttributes {
  readonly scheduledEventId?: unknown;
  readonly failure?: RawFailure | null;
  readonly result?: NonNullable<HistoryEvent['activityTaskCompletedEventAttributes']>['result'];
}

function activityEndOf(event: HistoryEvent): readonly [ActivityEnd?, EndAttributes?] {
  if (event.activityTaskCompletedEventAttributes) return ['completed', event.activityTaskCompletedEventAttributes];
  if (event.activityTaskFailedEventAttributes) return ['failed', event.activityTaskFailedEventAttributes];
  if (event.activityTaskTimedOutEventAttributes) return ['timed-out', event.activityTaskTimedOutEventAttributes];
  if (event.activityTaskCanceledEventAttributes)
    return ['cancelled', { scheduledEventId: event.activityTaskCanceledEventAttributes.scheduledEventId }];
  return [];
}
