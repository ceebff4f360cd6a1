/** From a run to a model directory: its result names the model, the store has the bytes, the directory appears whole or not at all. */
import { chmod, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { RunHandle, status, type ArtifactRef, type RunReference } from '../client/index.js';
import { NightstillError } from '../config/errors.js';
import { fetchModel } from '../distillation/index.js';
import { openObjectStore, type ArtifactRef as StoredArtifact } from '../storage/index.js';
import { formatBytes } from '../tools/progress.js';
import { finalModels } from './summary.js';
import { shortDigest } from './view/format.js';

export interface ExportRequest extends RunReference {
  readonly directory: string;
  readonly node: string | undefined;
  readonly store: string | undefined;
}

/** @throws run-missing, model-unnamed, output-exists, output-failed, object-missing, object-damaged */
export async function exportModel(request: ExportRequest): Promise<string> {
  const target = resolve(request.directory);
  if (await stat(target).catch(() => undefined))
    throw new NightstillError('output-exists', `expected a new directory, found ${target}`);
  const { node, artifact, store: url } = await modelOf(request);
  const store = await openObjectStore(url);
  try {
    await writeDirectory(target, (cache) => fetchModel(store, artifact as StoredArtifact, cache));
  } finally {
    await store.close();
  }
  return `${target}: the model of ${node}, ${shortDigest(artifact.digest)}, ${formatBytes(artifact.bytes)}`;
}

async function modelOf({ client, runId, node, store }: ExportRequest) {
  const view = await status({ client, runId });
  if (view.status !== 'completed')
    throw new NightstillError('run-unfinished', `run ${runId}: expected a completed run, found ${view.status}`);
  const result = await new RunHandle(client, runId).result();
  const models = node === undefined ? finalModels(result, view) : modelsOfNode(result, node);
  const [model, another] = models;
  if (model === undefined || another !== undefined) {
    const named = models.map((one) => one.node).join(', ');
    throw new NightstillError('model-unnamed', `run ${runId}: expected one model, found ${named || 'none'}`);
  }
  return { ...model, store: store ?? storeOf(model.artifact) };
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
