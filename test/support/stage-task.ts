/**
 * A stage whose content is known in advance: what is saved at a step depends on the seed and the step alone, so that a
 * restored checkpoint is either that of exactly one step or torn. Shared by the program that works at it and the test that
 * kills it.
 */
import { digestOf, readBlob, type BlobRef, type ObjectStore, type RestoredCheckpoint } from '../../storage/index.js';
import type { KillPoint } from './kill-points.js';
import { noise } from './stage.js';

export interface StageTask {
  readonly url: string;
  readonly stageKey: string;
  readonly seed: number;
  readonly steps: number;
  /** Of the arrays that change with every step; more than 16 MiB are several packs. */
  readonly bytes: number;
  readonly attempt: number;
  readonly point?: KillPoint;
}

/** What the program prints, each before it goes on. */
export type StageEvent =
  | { readonly event: 'claimed'; readonly fence: number }
  | { readonly event: 'restored'; readonly step: number }
  | { readonly event: 'saved'; readonly step: number }
  | { readonly event: 'result'; readonly facts: string }
  | { readonly event: 'failed'; readonly code: string; readonly message: string };

type Content = Pick<StageTask, 'seed' | 'bytes'>;

/** The arrays that change with every step. */
export const arraysOf = ({ seed, bytes }: Content, step: number): Map<string, Uint8Array> =>
  new Map([
    ['weights', noise(bytes, seed * 1000 + step)],
    ['moments', noise(1_000, seed * 1000 + step + 500)],
    ['empty', new Uint8Array()],
  ]);

export const frozenOf = ({ seed }: Content): Map<string, Uint8Array> => new Map([['base', noise(9_000, seed)]]);

/** A blob of its own that every step adds and all later checkpoints need. */
export const shardOf = ({ seed }: Content, step: number): Uint8Array<ArrayBuffer> =>
  noise(700 + step, seed * 77 + step);

/** @throws when it is not, bit for bit, the checkpoint of one step */
export async function assertWhole(store: ObjectStore, content: Content, restored: RestoredCheckpoint): Promise<void> {
  const { step, state, arrays, references } = restored;
  const expected = new Map([...arraysOf(content, step), ...frozenOf(content)]);
  const torn = [...expected].filter(
    ([name, bytes]) => Buffer.compare(arrays.get(name) ?? Buffer.from('-'), bytes) !== 0,
  );
  if (torn.length > 0 || arrays.size !== expected.size)
    throw new Error(`step ${step}: torn ${torn.map(([name]) => name).join()}`);
  if (JSON.stringify(state) !== JSON.stringify({ step }))
    throw new Error(`step ${step}: state ${JSON.stringify(state)}`);
  await assertShards(store, content, step, references);
}

/** @throws when the blobs are not the shards of the steps up to this one */
export async function assertShards(
  store: ObjectStore,
  content: Content,
  step: number,
  blobs: readonly BlobRef[],
): Promise<void> {
  const expected = Array.from({ length: step }, (_, index) => digestOf(shardOf(content, index + 1)));
  if (blobs.map(({ digest }) => digest).join() !== expected.join()) throw new Error(`step ${step}: other shards`);
  for (const blob of blobs) await readBlob(store, blob);
}
