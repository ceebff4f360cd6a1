/** Nights of a schedule, by the runs that they had. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { triggerSchedule } from '../../client/index.js';
import { runOfNight, type NightResult } from '../../config/night.js';

type NightHandle = WorkflowHandle<() => Promise<NightResult>>;

export async function nightOf(client: Client, name: string, run: string): Promise<NightHandle> {
  const { recentActions } = (await client.schedule.getHandle(name).describe()).info;
  const ids = recentActions.map(({ action }) => action.workflow.workflowId);
  const found = ids.find((id) => runOfNight(name, id) === run);
  if (found === undefined) throw new Error(`expected a night of ${run}, found ${ids.join(', ')}`);
  return client.workflow.getHandle(found);
}

/** From its order to its end. `ms`: from its first event to its last, by the clock of the server. */
export async function oneNight(
  client: Client,
  name: string,
): Promise<{ readonly result: NightResult; readonly ms: number }> {
  const { runId } = await triggerSchedule({ client, name });
  const night = await nightOf(client, name, runId);
  const result = await night.result();
  const { startTime, closeTime } = await night.describe();
  return { result, ms: Number(closeTime) - Number(startTime) };
}
