/**
 * `nightstill run --prove`: the plan runs once more into an empty store, and the process of each training is killed once with
 * SIGKILL on its way, after its first checkpoint. The models must have the digests that they had before.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { start, type RunHandle } from '../client/index.js';
import { NightstillError } from '../config/errors.js';
import type { RunResult } from '../config/plan.js';
import { isJsonObject } from '../storage/index.js';
import { drawTable } from '../tools/setup.js';
import { exitStatus } from './command.js';
import { trainersBelow } from './dev/trainers.js';
import type { LoadedPlan } from './plan/load-plan.js';
import type { PlanRun } from './run-plan.js';
import type { Servers } from './servers.js';
import { sightRun } from './sight-run.js';
import { newRunId } from './start-run.js';
import { exitStatusOf } from './summary.js';
import { shortDigest } from './view/format.js';
import { watchRun } from './watch-run.js';

export interface Proof extends PlanRun {
  readonly servers: Servers;
  readonly plan: LoadedPlan;
  /** Of the run that nothing has disturbed. */
  readonly handle: RunHandle;
}

/** @throws nondeterministic-stage when a model has another digest */
export async function proveRun(proof: Proof): Promise<number> {
  const { servers, plan, json } = proof;
  const { embedded, client } = servers;
  if (embedded === undefined || !isJsonObject(plan.file)) throw new TypeError('expected workers of this command');
  const directory = await mkdtemp(join(embedded.state.path, 'proof-'));
  try {
    const file = { ...plan.file, store: pathToFileURL(directory).href };
    const handle = await start({ ...proof, client, file, runId: `${newRunId(file, new Date())}-killed` });
    if (!json) process.stdout.write('  once more into an empty store, with every training killed on its way\n\n');
    const over = new AbortController();
    const killing = killTrainings(proof, handle.runId, over.signal);
    const view = await watchRun({ ...proof, client, runId: handle.runId, signal: new AbortController().signal });
    over.abort();
    const kills = await killing;
    if (view.status !== 'completed') return exitStatusOf(view);
    tell(compare(await proof.handle.result(), await handle.result()), kills, json);
    return exitStatus.ok;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Kill {
  readonly node: string;
  readonly pid: number;
  /** The last durable step before. */
  readonly durableStep: number;
}

const lookEveryMs = 100;

async function killTrainings({ servers }: Proof, runId: string, signal: AbortSignal): Promise<readonly Kill[]> {
  const kills: Kill[] = [];
  while (!signal.aborted) {
    const { activities } = await sightRun(servers.client, runId);
    for (const [node, { durableStep, attempt }] of Object.entries(activities)) {
      if (durableStep === undefined || attempt > 1 || kills.some((kill) => kill.node === node)) continue;
      const [pid] = await trainersBelow(servers.embedded?.pidOf('gpu') ?? 0);
      if (pid === undefined) continue;
      process.kill(pid, 'SIGKILL');
      kills.push({ node, pid, durableStep });
    }
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return kills;
}

interface Comparison {
  readonly model: string;
  readonly undisturbed: string;
  readonly killed: string;
}

function compare(undisturbed: RunResult, killed: RunResult): Comparison[] {
  return Object.entries(undisturbed.nodes).flatMap(([node, { outputs }]) =>
    Object.entries(outputs)
      .filter(([, { kind }]) => kind === 'model')
      .map(([output, { digest }]) => ({
        model: `${node}.${output}`,
        undisturbed: digest,
        killed: killed.nodes[node]?.outputs[output]?.digest ?? 'none',
      })),
  );
}

function tell(models: readonly Comparison[], kills: readonly Kill[], json: boolean): void {
  const differ = models.filter(({ undisturbed, killed }) => undisturbed !== killed);
  const equal = differ.length === 0 && kills.length > 0;
  if (json) process.stdout.write(`${JSON.stringify({ event: 'proof', equal, kills, models })}\n`);
  else process.stdout.write(`${drawProof(models, kills)}\n\n`);
  if (kills.length === 0)
    throw new NightstillError(
      'proof-without-kill',
      'expected a training to kill after its first checkpoint, found none',
    );
  const [first] = differ;
  if (first)
    throw new NightstillError(
      'nondeterministic-stage',
      `${first.model}: expected ${first.undisturbed}, found ${first.killed} after a kill`,
    );
}

function drawProof(models: readonly Comparison[], kills: readonly Kill[]): string {
  const lines = kills.map(
    ({ node, pid, durableStep }) => `  ${node}: process ${pid} killed with SIGKILL after checkpoint ${durableStep}`,
  );
  const rows = models.map(({ model, undisturbed, killed }) => [
    model,
    shortDigest(undisturbed),
    shortDigest(killed),
    undisturbed === killed ? 'equal' : 'DIFFERENT',
  ]);
  return `${lines.join('\n')}\n\n${drawTable(['model', 'undisturbed', 'killed', ''], rows).replaceAll(/^/gm, '  ')}`;
}
