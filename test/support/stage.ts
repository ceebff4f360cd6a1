/** Short ways to claim a stage and to make arrays for tests of the checkpoint protocol. */
import { createHash } from 'node:crypto';
import {
  claimStage,
  digestOf,
  type Digest,
  type NewRun,
  type ObjectStore,
  type StageOutcome,
  type StageOwner,
  type StageWriter,
} from '../../storage/index.js';
import { headKind, type Head } from '../../storage/head.js';
import { headKey } from '../../storage/layout.js';
import { isLater } from '../../storage/manifest.js';
import { readRecord } from '../../storage/record.js';

export const stageKeyOf = (name: string): string => createHash('sha256').update(name).digest('hex');

export const owner = (attempt = 1, activityId = 'train', runId = 'run-1'): StageOwner => ({
  workflowId: 'night',
  runId,
  activityId,
  attempt,
});

/** A run of a plan of its own, unless named otherwise. */
export const newRun = (id: string, planDigest: Digest = digestOf(id), plan = id): NewRun => ({ id, plan, planDigest });

export const nobodyIsOpen = (): Promise<boolean> => Promise.resolve(false);

export const claim = (store: ObjectStore, stageKey: string, attempt = 1): Promise<StageWriter> =>
  claimStage(store, { stageKey, owner: owner(attempt), isOpen: nobodyIsOpen });

/** An outcome with one output of one row, put into the store. */
export async function outcomeOf(writer: StageWriter, content = 'rows', reproducible = true): Promise<StageOutcome> {
  const part = { ...(await writer.putBlob(new Uint8Array(Buffer.from(content)))), rows: 1 };
  const dataset = await writer.putArtifact({ kind: 'dataset', parts: [part], meta: {} });
  return { preimage: { kind: 'import' }, outputs: { dataset }, facts: { rows: 1 }, observations: {}, reproducible };
}

/** Bytes that depend on the seed alone and do not compress into repetition. */
export function noise(bytes: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer).subarray(0, bytes);
}

export async function keysOf(store: ObjectStore, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

export async function bytesOf(store: ObjectStore, key: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await store.get(key)).body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Looks at a head again and again: (fence, step) and the counter must never go back. */
export class HeadWatch {
  readonly #store: ObjectStore;
  readonly #stageKey: string;
  #last: Head | undefined;
  looks = 0;

  constructor(store: ObjectStore, stageKey: string) {
    this.#store = store;
    this.#stageKey = stageKey;
  }

  /** @throws when the head is not the one of the last look, or a later one */
  async look(): Promise<Head | undefined> {
    const next = (await readRecord(this.#store, headKind, headKey(this.#stageKey)))?.value;
    const last = this.#last;
    this.looks += 1;
    const isBack = last && (!next || next.counter < last.counter || next.fence < last.fence || isBefore(next, last));
    if (isBack) throw new Error(`the head went back: from ${placeOf(last)} to ${next ? placeOf(next) : 'none'}`);
    this.#last = next;
    return next;
  }
}

const isBefore = ({ manifest: next }: Head, { manifest: last }: Head): boolean =>
  last !== null && (next === null || isLater(last, next));

const placeOf = ({ fence, counter, manifest }: Head): string =>
  `fence ${fence}, counter ${counter}, manifest (${manifest?.fence}, ${manifest?.step})`;
