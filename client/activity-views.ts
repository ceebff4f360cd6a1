/** The work of a run that is pending: where each activity stands, and what its heartbeat said last. */
import type { Progress } from '../config/child-protocol.js';
import { hasCode } from '../config/errors.js';
import type { PendingActivity } from './description.js';
import type { PayloadReader } from './payloads.js';
import type { ActivityView } from './run-view.js';
import { millisecondsOf } from './timestamps.js';

/** Of `PendingActivityState`. */
const states = { started: 2, cancelRequested: 3, paused: 4, pauseRequested: 5 };

export async function activityView(pending: PendingActivity, payloads: PayloadReader): Promise<ActivityView> {
  const activityId = pending.activityId ?? '';
  const lastFailure = await payloads.failure(pending.lastFailure, activityId);
  const { lastProgressAttempt, progress } = await heartbeatOf(pending, payloads);
  return {
    state: stateOf(pending),
    attempt: pending.attempt ?? 1,
    ...(pending.lastWorkerIdentity && { worker: pending.lastWorkerIdentity }),
    ...time('startedAtMs', pending.lastStartedTime),
    ...time('heartbeatAtMs', pending.lastHeartbeatTime),
    ...(isBackingOff(pending) && time('nextAttemptAtMs', pending.nextAttemptScheduleTime)),
    ...(lastFailure && { lastFailure }),
    ...(lastProgressAttempt !== undefined && { lastProgressAttempt }),
    ...(progress && { progress }),
  };
}

function stateOf(pending: PendingActivity): ActivityView['state'] {
  switch (Number(pending.state)) {
    case states.started:
      return 'working';
    case states.cancelRequested:
      return 'ending';
    case states.paused:
    case states.pauseRequested:
      return 'paused';
    default:
      return isBackingOff(pending) ? 'backing-off' : 'waiting';
  }
}

const isBackingOff = ({ nextAttemptScheduleTime }: PendingActivity): boolean =>
  (millisecondsOf(nextAttemptScheduleTime) ?? 0) > Date.now();

/** Some stages of users may say other things than ours, or nothing. */
async function heartbeatOf({ activityId, heartbeatDetails }: PendingActivity, payloads: PayloadReader) {
  let details: unknown;
  try {
    details = await payloads.value(heartbeatDetails?.payloads, activityId ?? '');
  } catch (error) {
    if (!hasCode(error, 'run-unreadable')) throw error;
  }
  if (typeof details !== 'object' || details === null) return {};
  const { lastProgressAttempt, phase, durable, facts } = details as Partial<Progress> & Record<string, unknown>;
  return {
    ...(typeof lastProgressAttempt === 'number' && { lastProgressAttempt }),
    ...(typeof phase === 'string' && { progress: { phase, ...(durable && { durable }), ...(facts && { facts }) } }),
  };
}

function time<Name extends string>(name: Name, timestamp: Parameters<typeof millisecondsOf>[0]) {
  const milliseconds = millisecondsOf(timestamp);
  return (milliseconds === undefined ? {} : { [name]: milliseconds }) as { readonly [Key in Name]?: number };
}
