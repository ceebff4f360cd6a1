/** Starts a run of a plan, or joins the one of the same plan that is going on. */
import type { Client } from '@temporalio/client';
import { listRuns, planDigestOf, start, type RunHandle } from '../client/index.js';
import { isJsonObject, type Json } from '../storage/index.js';

export interface RunToStart {
  readonly client: Client;
  readonly file: Json;
  readonly runId: string | undefined;
  readonly queuePrefix: string | undefined;
}

export interface StartedRun {
  readonly handle: RunHandle;
  /** It was going on before. */
  readonly joined: boolean;
}

/** @throws plan-invalid, run-conflict, temporal-unavailable, temporal-refused */
export async function startOrJoin({ client, file, runId, queuePrefix }: RunToStart): Promise<StartedRun> {
  const open = runId ?? (await openRunOf(client, planDigestOf(file)));
  const id = open ?? newRunId(file, new Date());
  const handle = await start({ client, file, runId: id, ...(queuePrefix !== undefined && { queuePrefix }) });
  return { handle, joined: runId === undefined && open !== undefined };
}

async function openRunOf(client: Client, planDigest: string): Promise<string | undefined> {
  for await (const run of listRuns({ client, onlyRunning: true })) if (run.planDigest === planDigest) return run.runId;
  return undefined;
}

/** The name of the plan and when it was started, as a person would write it: `first-1126-214500`. */
export function newRunId(file: Json, now: Date): string {
  const name = isJsonObject(file) && typeof file['name'] === 'string' ? file['name'] : 'run';
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${name}-${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
