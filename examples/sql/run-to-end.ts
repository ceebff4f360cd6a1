/** Starts a plan, or joins its run, and shows it until it is over or Ctrl-C leaves it. */
import type { Client } from '@temporalio/client';
import { onInterrupt } from '../../cli/interrupt.js';
import { startOrJoin } from '../../cli/start-run.js';
import { watchRun, type Watched } from '../../cli/watch-run.js';
import { defaultQueuePrefix } from '../../config/queues.js';
import type { Json } from '../../config/json.js';

export async function runToEnd(client: Client, file: Json): Promise<Watched & { readonly runId: string }> {
  const { handle } = await startOrJoin({ client, file, runId: undefined, queuePrefix: defaultQueuePrefix });
  const { runId } = handle;
  const leaving = new AbortController();
  onInterrupt(() => leaving.abort());
  const watched = await watchRun({ client, runId, json: false, variables: process.env, signal: leaving.signal });
  return { ...watched, runId };
}
