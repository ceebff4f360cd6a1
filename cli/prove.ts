/**
 * `nightstill run --prove`: the plan runs once more into an empty store, and the process of each training is killed once with
 * SIGKILL in its middle. It goes on from its last checkpoint, and the models must have the digests that they had before.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { start, type RunResult } from '../client/index.js';
import { NightstillError } from '../config/errors.js';
import { isJsonObject } from '../storage/index.js';
import { drawTable } from '../tools/setup.js';
import { exitStatus } from './command.js';
import { MidwayKills, sayKill, type Kill } from './dev/midway-kills.js';
import { savingForProof } from './dev/saving-for-proof.js';
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
  const { file: written, resolved } = plan;
  const store = isJsonObject(written) ? written['store'] : undefined;
  if (embedded === undefined || !isJsonObject(written) || typeof store !== 'string')
    throw new TypeError('expected workers of this command, and a plan that is sent with its store');
  const directory = await mkdtemp(join(embedded.state.path, 'proof-'));
  try {
    const nodes = resolved?.plan.nodes ?? [];
    const saving = await savingForProof(written, { result: undisturbed, store, nodes });
    const file = { ...saving, store: pathToFileURL(directory).href };
    const kills = new MidwayKills((pid) => process.kill(pid, 'SIGKILL'));
    embedded.onChildProgress((reported) => kills.take(reported));
    const { runId } = await start({ ...proof, client, file, runId: `${newRunId(file, new Date())}-killed` });
    if (!json)
      process.stdout.write(
        '  Once more into an empty store, with each training killed in its middle, and saving in time for that:\n\n',
      );
    const { signal } = new AbortController();
    const { view, result } = await watchRun({ client, runId, json, variables, signal });
    if (result === undefined) return exitStatusOf(view);
    tell(compare(undisturbed, result), kills.all, json);
    return exitStatus.ok;
  } finally {
    await rm(directory, { recursive: true, force: true });
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
      'expected a training to kill in its middle, after a checkpoint, found none',
    );
  const [first] = differ;
  if (first)
    throw new NightstillError(
      'nondeterministic-stage',
      `${first.model}: expected ${first.undisturbed}, found ${first.killed} after a kill`,
    );
}

function drawProof(models: readonly Comparison[], kills: readonly Kill[]): string {
  const lines = kills.map((kill) => `  ${sayKill(kill)}`);
  const rows = models.map(({ model, undisturbed, killed }) => [
    model,
    shortDigest(undisturbed),
    shortDigest(killed),
    undisturbed === killed ? 'equal' : 'DIFFERENT',
  ]);
  return `${lines.join('\n')}\n\n${drawTable(['model', 'undisturbed', 'killed', 'digests'], rows).replaceAll(/^/gm, '  ')}`;
}
