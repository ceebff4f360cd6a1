/**
 * From a run, or the name of a promoted model, to a model directory: the result names the model, the store has the bytes, the directory appears whole or not at all.
 * A run that Temporal does not know any more, or that ran on a server that is gone, is found by its record in the store.
 */
import { chmod, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { RunHandle, status, type ArtifactRef, type NodeResult, type RunReference } from '../client/index.js';
import { hasCode, NightstillError } from '../config/errors.js';
import { fetchModel } from '../distillation/index.js';
import {
  lookupStage,
  openObjectStore,
  readAlias,
  readContent,
  readRun,
  type ArtifactRef as StoredArtifact,
  type ObjectStore,
} from '../storage/index.js';
import { formatBytes } from '../tools/progress.js';
import { finalModels } from './summary.js';
import { shortDigest } from './view/format.js';

/** Which model: of a run, or of a node of it. */
export interface ModelOfRun extends RunReference {
  readonly node: string | undefined;
  /** As the plan names it, where that is known. */
  readonly store: string | undefined;
  /** Where a run is looked for that Temporal cannot tell of. */
  readonly recordedIn: string | undefined;
}

export interface ExportRequest extends ModelOfRun {
  readonly directory: string;
}

/** @throws run-missing, model-unnamed, output-exists, output-failed, object-missing, object-damaged */
export async function exportModel(request: ExportRequest): Promise<string> {
  const target = resolve(request.directory);
  if (await stat(target).catch(() => undefined))
    throw new NightstillError('output-exists', `expected a new directory, found ${target}`);
  const {
    node,
    artifact,
    store: url,
    card,
  } = (await modelOfAlias(request)) ?? { ...(await modelOf(request)), card: undefined };
  const store = await openObjectStore(url);
  try {
    await writeDirectory(target, async (cache) => {
      const directory = await fetchModel(store, artifact as StoredArtifact, cache);
      if (card) await writeCard(store, card, directory);
      return directory;
    });
  } finally {
    await store.close();
  }
  return `${target}: the model of ${node}, ${shortDigest(artifact.digest)}, ${formatBytes(artifact.bytes)}`;
}

/** `name/alias`: what serves under a name of the store; a run whose id looks like that is found where no alias is. */
async function modelOfAlias({ runId, node, store, recordedIn }: ModelOfRun) {
  const [name, alias, ...more] = runId.split('/');
  const url = store ?? recordedIn;
  if (url === undefined || node !== undefined || !name || !alias || more.length > 0) return undefined;
  const opened = await openObjectStore(url);
  try {
    const found = await readAlias(opened, name, alias);
    return found && { node: runId, artifact: found.current.model, store: url, card: found.current.card };
  } finally {
    await opened.close();
  }
}

/** @throws run-missing, run-unfinished, model-unnamed */
export async function modelOf(request: ModelOfRun) {
  const { runId, node, store } = request;
  const { view, result } = await endOf(request);
  const models = node === undefined ? finalModels(result, view) : modelsOfNode(result, node);
  const [model, another] = models;
  if (model === undefined || another !== undefined) {
    const named = models.map((one) => one.node).join(', ');
    throw new NightstillError('model-unnamed', `run ${runId}: expected one model, found ${named || 'none'}`);
  }
  return { ...model, store: store ?? storeOf(model.artifact) };
}

async function endOf({ client, runId, store, recordedIn }: ModelOfRun) {
  try {
    const view = await status({ client, runId });
    refuseUnfinished(runId, view.status);
    return { view, result: await new RunHandle(client, runId).result() };
  } catch (error) {
    const url = store ?? recordedIn;
    if (url === undefined || !hasCode(error, 'temporal-unavailable', 'temporal-refused', 'run-missing')) throw error;
    const view = await status({ client, runId, store: url });
    refuseUnfinished(runId, view.status);
    return { view, result: { nodes: await recordedNodes(url, runId) } };
  }
}

function refuseUnfinished(runId: string, found: string): void {
  if (found === 'completed') return;
  throw new NightstillError('run-unfinished', `run ${runId}: expected a completed run, found ${found}`);
}

/** What is recorded of the stages of a run. */
async function recordedNodes(url: string, runId: string): Promise<Record<string, NodeResult>> {
  const store = await openObjectStore(url);
  try {
    const nodes: Record<string, NodeResult> = {};
    for (const [node, stageKey] of Object.entries((await readRun(store, runId))?.stages ?? {})) {
      const { result } = await lookupStage(store, stageKey, { readOnly: true });
      if (result) nodes[node] = { outputs: result.outcome.outputs, stageKey, reused: true };
    }
    return nodes;
  } finally {
    await store.close();
  }
}

async function writeCard(store: ObjectStore, card: StoredArtifact, directory: string): Promise<void> {
  await writeFile(join(directory, 'README.md'), await readContent(store, card));
}

type Result = Parameters<typeof finalModels>[0];

const modelsOfNode = ({ nodes }: Result, node: string): ReturnType<typeof finalModels> =>
  Object.entries(nodes[node]?.outputs ?? {}).flatMap(([output, artifact]) =>
    artifact.kind === 'model' ? [{ node, output, artifact }] : [],
  );

/** An artifact says where it lies, but for the endpoint of a store that is not AWS's own. */
const storeOf = ({ uri }: ArtifactRef): string => uri.replace(/\/blobs\/sha256\/[0-9a-f]+$/, '');

/** Made beside its place and moved there. */
async function writeDirectory(target: string, fetch: (cache: string) => Promise<string>): Promise<void> {
  try {
    await mkdir(dirname(target), { recursive: true });
    const beside = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
    try {
      const fetched = await fetch(beside);
      await chmod(fetched, 0o777 & ~process.umask());
      await rename(fetched, target);
    } finally {
      await rm(beside, { recursive: true, force: true });
    }
  } catch (cause) {
    if (!(cause instanceof Error) || !('syscall' in cause)) throw cause;
    throw new NightstillError('output-failed', `${target}: expected a place to write, found: ${cause.message}`, {
      cause,
    });
  }
}
