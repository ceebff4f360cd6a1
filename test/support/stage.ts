/** Short ways to claim a stage and to make arrays for tests of the checkpoint protocol. */
import { createHash } from 'node:crypto';
import {
  claimStage,
  type ObjectStore,
  type StageOutcome,
  type StageOwner,
  type StageWriter,
} from '../../storage/index.js';

export const stageKeyOf = (name: string): string => createHash('sha256').update(name).digest('hex');

export const owner = (attempt = 1, activityId = 'train', runId = 'run-1'): StageOwner => ({
  workflowId: 'night',
  runId,
  activityId,
  attempt,
});

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
