/**
 * Plans that run every night: a schedule of Temporal stores the content of the plan file and starts it when it is due. One night
 * at a time; a night that fails pauses the schedule. No worker is needed to speak of schedules.
 */
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleHandle,
} from '@temporalio/client';
import { hasCode, NightstillError } from '../config/errors.js';
import { explainDifference } from '../config/explain-difference.js';
import type { Json, JsonObject } from '../config/json.js';
import { nightWorkflowId, type NightlyInput } from '../config/night.js';
import type { PlanFileInput } from '../config/plan-file.js';
import { queueName } from '../config/queues.js';
import { pagesOf } from './pages.js';
import { planDigestOf } from './plan-digest.js';
import { asTemporalError, isMissing } from './run-error.js';
import {
  describeRawSchedule,
  isNamedAsOurs,
  nightlyType,
  scheduleView,
  storedNight,
  type RawSchedule,
  type ScheduleReference,
  type ScheduleView,
} from './schedule-view.js';

export interface UpsertRequest {
  readonly client: Client;
  /** The content of the plan file, as data, with a section `schedule`. */
  readonly file: PlanFileInput | JsonObject;
  /** The prefix that the workers were started with; default `nightstill`. */
  readonly queuePrefix?: string;
}

export interface UpsertedSchedule {
  readonly schedule: ScheduleView;
  readonly created: boolean;
  /** What differs from before, a line each: `schedule.cron: 0 3 * * * → 0 4 * * *`. */
  readonly changes: readonly string[];
}

const policies = { overlap: ScheduleOverlapPolicy.SKIP, pauseOnFailure: true } as const;

/**
 * Makes the schedule of a plan, or brings it up to the file: a paused one stays paused, a night that goes on is left alone.
 * Temporal's client updates what it has read without a guard: who pauses or resumes between the two is overwritten.
 * @throws plan-invalid, schedule-conflict when somebody else has a schedule of this name, run-unreadable when it was made with another
 *   data converter, temporal-unavailable, temporal-refused
 */
export async function upsertSchedule({ client, file, queuePrefix }: UpsertRequest): Promise<UpsertedSchedule> {
  const { nameOf, scheduleOf, specOf } = await import('./schedule-spec.js');
  const name = nameOf(file);
  const schedule = scheduleOf(file);
  const input: NightlyInput = {
    schedule: name,
    file,
    planDigest: planDigestOf(file as JsonObject),
    timeZone: schedule.timeZone,
  };
  const taskQueue = queueName('orchestrator', queuePrefix);
  const written = {
    spec: specOf(schedule),
    action: {
      type: 'startWorkflow' as const,
      workflowType: nightlyType,
      workflowId: nightWorkflowId(name),
      taskQueue,
      args: [input],
    },
    policies: { ...policies, catchupWindow: schedule.catchUp },
  };
  return coded(name, async () => {
    try {
      await client.schedule.create({ scheduleId: name, ...written });
      return { schedule: await look({ client, name }), created: true, changes: [] };
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
    const reference = { client, name };
    const stored = await ours(reference, await describeRawSchedule(reference));
    let changes: readonly string[] = [];
    await client.schedule.getHandle(name).update((before) => {
      changes = changesOf(before, stored, input, taskQueue);
      return { ...written, state: before.state };
    });
    return { schedule: await look({ client, name }), created: false, changes };
  });
}

function changesOf(
  before: ScheduleDescription,
  stored: NightlyInput,
  input: NightlyInput,
  taskQueue: string,
): readonly string[] {
  const { overlap, pauseOnFailure } = before.policies;
  return [
    ...explainDifference({ options: stored.file as Json }, { options: input.file as Json }),
    ...(before.action.taskQueue === taskQueue ? [] : [`queue: ${before.action.taskQueue} → ${taskQueue}`]),
    ...(overlap === policies.overlap ? [] : [`overlap: ${overlap} → ${policies.overlap}`]),
    ...(pauseOnFailure ? [] : ['pause on failure: false → true']),
  ];
}

/** @throws schedule-missing, schedule-conflict, run-unreadable, temporal-unavailable, temporal-refused */
export function describeSchedule(schedule: ScheduleReference): Promise<ScheduleView> {
  return coded(schedule.name, () => look(schedule));
}

/**
 * All of this namespace, by name. One that was just made may not be among them yet, those of others are not; one of a project whose
 * data converter this client lacks is, without its plan.
 * @throws temporal-unavailable, temporal-refused
 */
export async function listSchedules(client: Client): Promise<ScheduleView[]> {
  try {
    const names = await listNames(client);
    const views = await Promise.all(names.toSorted().map((name) => lookOver({ client, name })));
    return views.filter((view) => view !== undefined);
  } catch (error) {
    throw asTemporalError('schedules', error) ?? error;
  }
}

/** As Temporal lists them on the wire: what others have noted at their schedules, this client may not be able to read. */
async function listNames(client: Client): Promise<string[]> {
  const { namespace } = client.options;
  const names: string[] = [];
  const pages = pagesOf((nextPageToken) => client.workflowService.listSchedules({ namespace, nextPageToken }));
  for await (const { schedules } of pages) {
    const nightly = schedules.filter(({ info }) => info?.workflowType?.name === nightlyType);
    names.push(...nightly.map(({ scheduleId }) => scheduleId ?? ''));
  }
  return names;
}

/** Undefined for a schedule that is gone meanwhile, and for one of somebody else. */
async function lookOver(reference: ScheduleReference): Promise<ScheduleView | undefined> {
  const { name } = reference;
  let raw: RawSchedule | undefined;
  try {
    raw = await describeRawSchedule(reference);
    const stored = await storedNight(reference, raw);
    return stored && scheduleView(name, raw, stored);
  } catch (error) {
    if (raw && hasCode(error, 'run-unreadable')) return isNamedAsOurs(name, raw) ? scheduleView(name, raw) : undefined;
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** No night starts until it is resumed; the one that goes on is left alone. @throws as describeSchedule */
export function pauseSchedule(schedule: ScheduleReference, note = 'paused by hand'): Promise<ScheduleView> {
  return change(schedule, (handle) => handle.pause(note));
}

/** @throws as describeSchedule */
export function resumeSchedule(schedule: ScheduleReference, note = 'resumed by hand'): Promise<ScheduleView> {
  return change(schedule, (handle) => handle.unpause(note));
}

/** A night that goes on is left alone, and so is everything that was made. @throws as describeSchedule */
export function removeSchedule(schedule: ScheduleReference): Promise<void> {
  return coded(schedule.name, async () => {
    await look(schedule);
    await schedule.client.schedule.getHandle(schedule.name).delete();
  });
}

function change(schedule: ScheduleReference, act: (handle: ScheduleHandle) => Promise<void>): Promise<ScheduleView> {
  return coded(schedule.name, async () => {
    await look(schedule);
    await act(schedule.client.schedule.getHandle(schedule.name));
    return look(schedule);
  });
}

async function look(reference: ScheduleReference): Promise<ScheduleView> {
  const raw = await describeRawSchedule(reference);
  return scheduleView(reference.name, raw, await ours(reference, raw));
}

/** @throws schedule-conflict, run-unreadable */
async function ours(reference: ScheduleReference, raw: RawSchedule): Promise<NightlyInput> {
  const stored = await storedNight(reference, raw);
  if (stored) return stored;
  const type = raw.schedule?.action?.startWorkflow?.workflowType?.name;
  throw new NightstillError(
    'schedule-conflict',
    `schedule ${reference.name}: expected a schedule of nightstill, found one that starts ${type}`,
  );
}

const isGone = (error: unknown): boolean => error instanceof ScheduleNotFoundError || isMissing(error);

export async function coded<Value>(name: string, ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    if (isGone(error))
      throw new NightstillError('schedule-missing', `schedule ${name}: expected a schedule, found none`, {
        cause: error,
      });
    throw asTemporalError(`schedule ${name}`, error) ?? error;
  }
}
