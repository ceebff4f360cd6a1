/** What `nightstill run` does: loads the plan, finds or starts servers, starts the run, watches it, says how it ended. */
import type { Client } from '@temporalio/client';
import type { RunHandle, RunResult, RunView } from '../client/index.js';
import type { Variables } from '../config/environment.js';
import { exitStatus } from './command.js';
import { onInterrupt } from './interrupt.js';
import { loadPlan } from './plan/load-plan.js';
import { tensorflowNeedOf } from './plan/tensorflow-need.js';
import { proveRun } from './prove.js';
import { findServers, type Servers } from './servers.js';
import { startOrJoin } from './start-run.js';
import { describeResult, exitStatusOf } from './summary.js';
import { isOver } from './view/run-view.js';
import { watchRun } from './watch-run.js';

export interface PlanRun {
  readonly path: string;
  readonly runId: string | undefined;
  /** What `{{scheduledDate}}` stands for. */
  readonly date: string | undefined;
  /** With a server and workers of its own. */
  readonly alone: boolean;
  readonly prove: boolean;
  readonly json: boolean;
  readonly profile: string | undefined;
  readonly dataConverter: string | undefined;
  readonly queuePrefix: string;
  /** Path of a module. */
  readonly stages: string | undefined;
  readonly scorers: string | undefined;
  readonly workerFlags: readonly string[];
  readonly variables: Variables;
}

export async function runPlan(request: PlanRun): Promise<number> {
  const plan = await loadPlan(request);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const leaving = new AbortController();
  const up: { servers?: Servers } = {};
  const endAtOnce = (): void =>
    void (up.servers?.kill() ?? Promise.resolve()).finally(() => process.exit(exitStatus.left));
  onInterrupt(() => {
    if (leaving.signal.aborted) return endAtOnce();
    leaving.abort();
    if (up.servers === undefined) say('Leaving as soon as what is starting has started (Ctrl-C again: at once).');
  });
  const servers = await findServers({ ...request, tensorflow: tensorflowNeedOf(plan, request), say });
  up.servers = servers;
  try {
    if (leaving.signal.aborted) return exitStatus.left;
    const { handle, joined } = await startOrJoin({ ...request, client: servers.client, file: plan.file });
    if (joined) say(`joined run ${handle.runId}, which is of the same plan`);
    if (request.json) process.stdout.write(`${JSON.stringify({ type: 'started', run: handle.runId, joined })}\n`);
    const { view, result } = await watch(servers.client, handle, request, leaving.signal);
    onInterrupt(endAtOnce);
    if (!isOver(view)) say(howToReturn(servers, view, request));
    else if (!request.json) tellEnd(view, result);
    if (request.prove && result) return await proveRun({ ...request, servers, plan, undisturbed: result });
    return exitStatusOf(view);
  } finally {
    await servers.close();
  }
}

const watch = (client: Client, { runId }: RunHandle, { json, variables }: PlanRun, signal: AbortSignal) =>
  watchRun({ client, runId, json, variables, signal });

function tellEnd(view: RunView, result: RunResult | undefined): void {
  if (result) process.stdout.write(`${describeResult(result, view)}\n\n`);
  else
    process.stderr.write(`${view.failure ? `${view.failure.code}: ${view.failure.message}` : `run ${view.status}`}\n`);
}

function howToReturn({ embedded }: Servers, { runId }: RunView, { path }: PlanRun): string {
  if (embedded)
    return `Stopping: stages make their work durable first (Ctrl-C again: at once).
The run stops with this command. It goes on from where it was with:   nightstill run ${path}
With \`nightstill dev\` in another terminal, it would have gone on by itself.`;
  return `The run goes on.\n  nightstill watch ${runId}    shows it again\n  nightstill cancel ${runId}   ends it`;
}
