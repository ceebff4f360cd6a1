/** What can be seen of a run from outside: what Temporal waits for, and the run's history. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';

/** An activity that Temporal waits for, and what it last reported with a heartbeat. */
export interface PendingActivity {
  readonly activityId: string;
  /** A worker has it; otherwise it waits for one, or for its next attempt. */
  readonly started: boolean;
  readonly attempt: number;
  /** Undefined before the first report. */
  readonly phase: string | undefined;
  /** Of the last durable checkpoint; 0 before the first. */
  readonly durableStep: number;
  /** How much of its phase is behind it, as it counts itself; 0 before it says. */
  readonly done: number;
  readonly fence: number;
  /** All that it tells of its phase beside. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The code that its last attempt failed with. */
  readonly lastFailure: string | undefined;
}

interface Report {
  readonly phase?: string;
  readonly durable?: { readonly step: number; readonly fence: number };
  readonly facts?: Readonly<Record<string, unknown>> & { readonly done?: number };
}

/** PENDING_ACTIVITY_STATE_STARTED */
const startedState = 2;

async function pendingActivities(client: Client, runId: string): Promise<PendingActivity[]> {
  const { raw } = await client.workflow.getHandle(runId).describe();
  return (raw.pendingActivities ?? []).map((pending) => {
    const [payload] = pending.heartbeatDetails?.payloads ?? [];
    const report = payload && defaultPayloadConverter.fromPayload<Report | null>(payload);
    return {
      activityId: pending.activityId ?? '',
      started: pending.state === startedState,
      attempt: pending.attempt ?? 1,
      phase: report?.phase,
      durableStep: report?.durable?.step ?? 0,
      done: report?.facts?.done ?? 0,
      fence: report?.durable?.fence ?? 0,
      facts: report?.facts ?? {},
      lastFailure: pending.lastFailure?.applicationFailureInfo?.type ?? undefined,
    };
  });
}

export async function pendingActivity(
  client: Client,
  runId: string,
  activityId: string,
): Promise<PendingActivity | undefined> {
  return (await pendingActivities(client, runId)).find((pending) => pending.activityId === activityId);
}

export interface RunHistory {
  /** JSON with its payloads decoded. */
  readonly text: string;
  /** Of its events, in order. */
  readonly types: readonly string[];
  /** How often an activity of each id was completed. */
  readonly completions: Readonly<Record<string, number>>;
  /** Which attempt of each activity was the last. */
  readonly attempts: Readonly<Record<string, number>>;
}

export async function historyOf(client: Client, runId: string): Promise<RunHistory> {
  const history = await client.workflow.getHandle(runId).fetchHistory();
  const text = historyToJSON(history).replaceAll(
    /"data": *"([A-Za-z0-9+/=]*)"/g,
    (_, data: string) => `"data": ${JSON.stringify(Buffer.from(data, 'base64').toString())}`,
  );
  const types = [...text.matchAll(/"eventType": *"([A-Z_]+)"/g)].map(([, type = '']) => type);
  return { text, types, ...activitiesIn(history.events ?? []) };
}

function activitiesIn(events: NonNullable<History['events']>): Pick<RunHistory, 'completions' | 'attempts'> {
  const ids = new Map<string, string>();
  const completions: Record<string, number> = {};
  const attempts: Record<string, number> = {};
  for (const event of events) {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: completed } = event;
    if (scheduled) ids.set(String(event.eventId), scheduled.activityId ?? '');
    const started = event.activityTaskStartedEventAttributes;
    if (started) attempts[ids.get(String(started.scheduledEventId)) ?? ''] = started.attempt ?? 1;
    const id = completed && ids.get(String(completed.scheduledEventId));
    if (id) completions[id] = (completions[id] ?? 0) + 1;
  }
  return { completions, attempts };
}
