/**
 * `nightstill run --prove`: the plan runs once more into an empty store, and the process of each training is killed once with
 * SIGKILL on its way, after its first checkpoint. The models must have the digests that they had before.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { start, type RunResult, type RunView } from '../client/index.js';
import { NightstillError } from '../config/errors.js';
import { isJsonObject } from '../storage/index.js';
import { drawTable } from '../tools/setup.js';
import { exitStatus } from './command.js';
import type { LocalStack } from './dev/local-stack.js';
import { trainersBelow } from './dev/trainers.js';
import type { LoadedPlan } from './plan/load-plan.js';
import type { PlanRun } from './run-plan.js';
import type { Servers } from './servers.js';
import { newRunId } from './start-run.js';
import { exitStatusOf } from './summary.js';
import { shortDigest } from './view/format.js';
import { watchRun } from './watch-run.js';

export interface Proof extends PlanRun {
  readonly servers: Servers;
  readonly plan: LoadedPlan;
  /** What the run came to that nothing disturbed. */
  readonly undisturbed: RunResult;
}

/** @throws nondeterministic-stage when a model has another digest, proof-without-kill */
export async function proveRun(proof: Proof): Promise<number> {
  const { servers, plan, json, variables, undisturbed } = proof;
  const { embedded, client } = servers;
  if (embedded === undefined || !isJsonObject(plan.file)) throw new TypeError('expected workers of this command');
  const directory = await mkdtemp(join(embedded.state.path, 'proof-'));
  try {
    const file = { ...plan.file, store: pathToFileURL(directory).href };
    const { runId } = await start({ ...proof, client, file, runId: `${newRunId(file, new Date())}-killed` });
    if (!json)
      process.stdout.write(
        '  Once more into an empty store, with trainings killed once a checkpoint of theirs was reported:\n\n',
      );
    const kills: Kill[] = [];
    let killing = Promise.resolve();
    const onEvent = (view: RunView): void => {
      killing = killing.then(() => killTrainings(embedded, view, kills));
    };
    const { signal } = new AbortController();
    const { view, result } = await watchRun({ client, runId, json, variables, signal, onEvent });
    await killing;
    if (result === undefined) return exitStatusOf(view);
    tell(compare(undisturbed, result), kills, json);
    return exitStatus.ok;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Kill {
  readonly node: string;
  readonly pid: number;
  /** The last that it had reported. */
  readonly step: number;
}

/** Every training once, when it has a checkpoint. */
async function killTrainings(embedded: LocalStack, { nodes }: RunView, kills: Kill[]): Promise<void> {
  for (const { id: node, activity } of nodes) {
    const { durable, facts } = activity?.progress ?? {};
    if (durable === undefined || activity?.attempt !== 1 || kills.some((kill) => kill.node === node)) continue;
    const [pid] = await trainersBelow(embedded.pidOf('gpu') ?? 0);
    if (pid === undefined || kills.some((kill) => kill.pid === pid)) continue;
    process.kill(pid, 'SIGKILL');
    kills.push({ node, pid, step: facts?.done ?? durable.step });
  }
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
  if (json) process.stdout.write(`${JSON.stringify({ type: 'proof', equal, kills, models })}\n`);
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
    ({ node, pid, step }) => `  ${node}: its process ${pid} was killed with SIGKILL at step ${step}`,
  );
  const rows = models.map(({ model, undisturbed, killed }) => [
    model,
    shortDigest(undisturbed),
    shortDigest(killed),
    undisturbed === killed ? 'equal' : 'DIFFERENT',
  ]);
  return `${lines.join('\n')}\n\n${drawTable(['model', 'undisturbed', 'killed', 'digests'], rows).replaceAll(/^/gm, '  ')}`;
}
