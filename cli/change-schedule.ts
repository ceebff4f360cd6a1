/** What the acts of `nightstill schedule` do, and what they say. */
import {
  describeSchedule,
  listSchedules,
  pauseSchedule,
  removeSchedule,
  resumeSchedule,
  triggerSchedule,
  upsertSchedule,
  type ScheduleReference,
  type ScheduleView,
} from '../client/index.js';
import type { Client } from '@temporalio/client';
import type { Variables } from '../config/environment.js';
import type { JsonObject } from '../storage/index.js';
import { drawTable } from '../tools/setup.js';
import { connect } from './connect.js';
import { loadPlan } from './plan/load-plan.js';
import type { ScheduleAct } from './schedule.js';

export interface ScheduleRequest {
  readonly flags: {
    readonly reason: string | undefined;
    readonly json: boolean;
    readonly profile: string | undefined;
    readonly 'data-converter': string | undefined;
    readonly 'queue-prefix': string | undefined;
    readonly stages: string | undefined;
    readonly scorers: string | undefined;
  };
  readonly variables: Variables;
}

export const listedSchedules = (request: ScheduleRequest): Promise<string> =>
  connected(request, async (client) => {
    const schedules = await listSchedules(client);
    if (request.flags.json) return JSON.stringify(schedules);
    if (schedules.length === 0) return 'no schedules; make one with: nightstill schedule upsert <plan>';
    const rows = schedules.map((view) => [view.name, stateOf(view), nextOf(view), view.nights[0]?.run ?? 'none yet']);
    return drawTable(['schedule', 'state', 'next (UTC)', 'last night'], rows);
  });

/** @param subject the plan file of `upsert`, the name of the schedule for the others */
export const changeSchedule = (act: ScheduleAct, subject: string, request: ScheduleRequest): Promise<string> =>
  connected(request, (client) =>
    act === 'upsert' ? upsert(client, subject, request) : acts[act]({ client, name: subject }, request),
  );

type Act = (schedule: ScheduleReference, request: ScheduleRequest) => Promise<string>;

const acts: Readonly<Record<Exclude<ScheduleAct, 'upsert'>, Act>> = {
  list: async (schedule, { flags }) => told(await describeSchedule(schedule), flags.json),
  pause: async (schedule, { flags }) => told(await pauseSchedule(schedule, flags.reason), flags.json),
  resume: async (schedule, { flags }) => told(await resumeSchedule(schedule, flags.reason), flags.json),
  trigger: async (schedule, { flags }) => {
    const { runId: run } = await triggerSchedule(schedule);
    return flags.json
      ? JSON.stringify({ schedule: schedule.name, run })
      : `started run ${run}\n  nightstill watch ${run}    shows it`;
  },
  remove: async (schedule, { flags }) => {
    await removeSchedule(schedule);
    return flags.json
      ? JSON.stringify({ schedule: schedule.name, removed: true })
      : `schedule ${schedule.name} is removed; what its nights have made stays`;
  },
};

async function upsert(client: Client, path: string, { flags, variables }: ScheduleRequest): Promise<string> {
  const queuePrefix = flags['queue-prefix'];
  const { stages, scorers } = flags;
  const request = { path, queuePrefix, stages, scorers, variables };
  const { file, locate } = await loadPlan({ ...request, forSchedule: true });
  try {
    const upserted = await upsertSchedule({
      client,
      file: file as JsonObject,
      ...(queuePrefix !== undefined && { queuePrefix }),
    });
    if (flags.json) return JSON.stringify(upserted);
    const { schedule, created, changes } = upserted;
    const what = created ? ['made'] : changes.length > 0 ? changes : ['nothing changed'];
    return [describe(schedule), '', ...what.map((line) => `  ${line}`)].join('\n');
  } catch (error) {
    throw locate(error);
  }
}

const told = (view: ScheduleView, json: boolean): string => (json ? JSON.stringify(view) : describe(view));

function describe(view: ScheduleView): string {
  const { name, timeZone, nextAtMs, nights, missed, skipped } = view;
  const left =
    missed + skipped > 0
      ? [`  left out  ${missed} missed while Temporal was away, ${skipped} since another went on`]
      : [];
  return [
    `${name}  ${stateOf(view)}`,
    `  next      ${nextAtMs.length > 0 ? nextAtMs.map((atMs) => timeIn(timeZone, atMs)).join(', ') : 'none'}  ${timeZone}`,
    ...nights.map(({ run, running }) => `  night     ${run}${running ? '  goes on' : ''}`),
    ...left,
  ].join('\n');
}

const stateOf = ({ paused, note, planDigest }: ScheduleView): string => {
  const state = paused ? `paused${note === undefined ? '' : `: ${note}`}` : 'active';
  return planDigest === undefined ? `${state}; its plan is unreadable without its --data-converter` : state;
};

const nextOf = ({ nextAtMs: [next] }: ScheduleView): string => (next === undefined ? '' : timeIn('UTC', next));

/** `2026-11-28 03:00`, as Swedes write it. */
const timeIn = (timeZone: string, atMs: number): string =>
  new Date(atMs).toLocaleString('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });

async function connected({ flags }: ScheduleRequest, ask: (client: Client) => Promise<string>): Promise<string> {
  const open = await connect(flags);
  try {
    return await ask(open.client);
  } finally {
    await open.close();
  }
}
