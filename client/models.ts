/**
 * Which models serve under which names: listed, promoted and rolled back in the store that holds them, without Temporal.
 * A move is made against what its caller has seen: when somebody else was faster it is refused as `champion-moved` and nothing
 * has changed. A model that was rolled back comes back only when it is named once more as such.
 */
import { randomUUID } from 'node:crypto';
import { hasCode, NightstillError } from '../config/errors.js';
import type * as StorageModule from '../storage/index.js';
import type { Alias, AliasMove, ArtifactRef, Digest, ObjectStore } from '../storage/index.js';

/** An alias as people and programs look at it. */
export interface ModelAlias {
  readonly name: string;
  readonly alias: string;
  /** Grows with every move: an alias that was moved away and back is told from one that was not. */
  readonly counter: number;
  readonly current: ServedModel;
  /** What served before, newest first. */
  readonly history: readonly ServedModel[];
  /** What a rollback leads to: the newest of the history that is not refused. Null when there is none. */
  readonly rollsBackTo: ServedModel | null;
  /** Digests that were rolled back. */
  readonly refused: readonly string[];
}

export interface ServedModel {
  readonly digest: string;
  readonly bytes: number;
  readonly reason: string;
  /** Who moved the alias to it, as they call themselves. */
  readonly actor?: string;
  /** When, in ISO 8601, by the clock of whoever moved it. */
  readonly movedAt?: string;
}

export interface ModelName {
  /** URL of the store. */
  readonly store: string;
  readonly name: string;
  /** Default `champion`. */
  readonly alias?: string;
}

export interface MoveRequest extends ModelName {
  /** What the caller has seen there, null for nothing. Default: whatever is there when the request begins. */
  readonly expected?: { readonly digest: string; readonly counter?: number } | null;
  readonly reason: string;
  readonly actor?: string;
  /** The same id again is the same move. Default: a new one. */
  readonly operationId?: string;
}

export interface PromoteRequest extends MoveRequest {
  /** Of a model in the store. */
  readonly digest: string;
  /** Promote it although it was rolled back. */
  readonly evenIfRefused?: boolean;
}

/** Every alias of a store, in the order of their names. @throws store-missing, store-unavailable, record-invalid */
export const listModels = ({ store }: Pick<ModelName, 'store'>): Promise<ModelAlias[]> =>
  withStore(store, false, async (opened, storage) =>
    (await storage.listAliases(opened)).map((each) => view(each, storage)),
  );

/** One alias, or undefined where nothing was promoted yet. */
export const findModel = ({ store, name, alias = champion }: ModelName): Promise<ModelAlias | undefined> =>
  withStore(store, false, async (opened, storage) => {
    const found = await storage.readAlias(opened, name, alias);
    return found && view(found, storage);
  });

/**
 * Moves an alias to a model of the store.
 * @throws champion-moved, digest-refused, model-missing
 */
export const promoteModel = (request: PromoteRequest): Promise<ModelAlias> =>
  withStore(request.store, true, async (opened, storage) => {
    const model = await modelIn(opened, storage, request.digest);
    const move = await moveOf(opened, storage, request);
    const evenIfRefused = request.evenIfRefused && { evenIfRefused: model.digest };
    return view(await storage.promote(opened, { ...move, model, ...evenIfRefused }), storage);
  });

/**
 * Moves an alias back to what served before; the digest that is left is refused from now on.
 * @throws champion-moved, alias-missing when nothing served before
 */
export const rollbackModel = (request: MoveRequest): Promise<ModelAlias> =>
  withStore(request.store, true, async (opened, storage) =>
    view(await storage.rollback(opened, await moveOf(opened, storage, request)), storage),
  );

type Storage = typeof StorageModule;

const champion = 'champion';

/** Storage is loaded when it is needed: an application that only starts runs does without it. */
async function withStore<Result>(
  url: string,
  forWriting: boolean,
  work: (store: ObjectStore, storage: Storage) => Promise<Result>,
): Promise<Result> {
  const storage = await import('../storage/index.js');
  const store = await storage.openObjectStore(url, { forWriting });
  try {
    return await work(store, storage);
  } finally {
    await store.close();
  }
}

/** The model of a digest, with all its parts: an alias must never name what cannot be served. */
async function modelIn(store: ObjectStore, storage: Storage, text: string): Promise<ArtifactRef> {
  const found = storage.isDigest(text) ? await storage.findArtifact(store, text).catch(notAnArtifact) : undefined;
  if (found?.kind === 'model' && (await storage.hasArtifact(store, found))) return found;
  const instead = found ? `${found.kind === 'model' ? 'one with parts missing' : `a ${found.kind}`}` : 'none';
  throw new NightstillError('model-missing', `${store.url}: expected a model of digest ${text}, found ${instead}`);
}

function notAnArtifact(error: unknown): undefined {
  if (!hasCode(error, 'record-invalid')) throw error;
}

async function moveOf(store: ObjectStore, { readAlias }: Storage, request: MoveRequest): Promise<AliasMove> {
  const { name, alias = champion, expected, reason, actor, operationId = randomUUID() } = request;
  const seen = await readAlias(store, name, alias);
  const there = seen ? { counter: seen.counter, digest: seen.current.model.digest } : null;
  const wanted = expected && { counter: expected.counter ?? seen?.counter ?? 0, digest: expected.digest as Digest };
  return {
    name,
    alias,
    expected: wanted === undefined ? there : wanted,
    reason,
    ...(actor !== undefined && { actor }),
    movedAt: new Date().toISOString(),
    operationId,
  };
}

function view(found: Alias, { beforeCurrent }: Storage): ModelAlias {
  const { name, alias, counter, current, history, refused } = found;
  const [previous] = beforeCurrent(found);
  return {
    name,
    alias,
    counter,
    current: viewOf(current),
    history: history.map(viewOf),
    rollsBackTo: previous ? viewOf(previous) : null,
    refused,
  };
}

const viewOf = ({ model, reason, actor, movedAt }: Alias['current']): ServedModel => ({
  digest: model.digest,
  bytes: model.bytes,
  reason,
  ...(actor !== undefined && { actor }),
  ...(movedAt !== undefined && { movedAt }),
});
