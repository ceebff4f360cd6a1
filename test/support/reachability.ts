/**
 * What a store must hold when no writer is at work and nothing is too young to be judged: worked out a second time, from the
 * JSON of its records alone, to hold collection against.
 */
import type { ObjectStore } from '../../storage/index.js';
import { bytesOf, keysOf } from './stage.js';

interface Needed {
  readonly manifest: { readonly key: string } | null;
  readonly previous: { readonly key: string } | null;
  readonly sealed: boolean;
}
interface Outcome {
  readonly outputs: Readonly<Record<string, { readonly digest: string }>>;
}

/** @param wanted stage keys of runs that keep their results */
export async function reachableKeys(store: ObjectStore, wanted: ReadonlySet<string> = new Set()): Promise<string[]> {
  const present = new Set(await keysOf(store));
  const found = new Set<string>();
  const below = (prefix: string): string[] => [...present].filter((key) => key.startsWith(prefix));
  const json = async (key: string) => JSON.parse(String(await bytesOf(store, key)));
  const blob = (digest: string): string => `blobs/sha256/${digest.replace('sha256:', '')}`;
  const add = (key: string): boolean => present.has(key) && !!found.add(key);

  const addArtifact = async (digest: string): Promise<void> => {
    if (!add(blob(digest))) return;
    for (const part of (await json(blob(digest))).parts) add(blob(part.digest));
  };
  const addOutputs = async ({ outputs }: Outcome): Promise<void> => {
    for (const { digest } of Object.values(outputs)) await addArtifact(digest);
  };
  const addManifest = async (reference: { readonly key: string } | null): Promise<void> => {
    if (!reference || !add(reference.key)) return;
    const { groups, references, outcome } = await json(reference.key);
    for (const { packs } of groups) for (const { digest } of packs) add(blob(digest));
    for (const { digest } of references) add(blob(digest));
    if (outcome) await addOutputs(outcome);
  };

  for (const key of [
    ...below('heads/'),
    ...below('runs/'),
    ...below('models/'),
    ...below('plans/'),
    ...below('probe/'),
  ])
    add(key);
  for (const key of below('models/')) {
    const { current, history } = await json(key);
    for (const { model } of [current, ...history]) await addArtifact(model.digest);
  }
  for (const stageKey of wanted) {
    add(blob(stageKey));
    if (add(`results/${stageKey}.json`)) await addOutputs((await json(`results/${stageKey}.json`)).outcome);
  }
  for (const key of below('heads/')) {
    const { manifest, previous, sealed }: Needed = await json(key);
    if (sealed && !wanted.has(key.slice('heads/'.length, -'.json'.length))) continue;
    await addManifest(manifest);
    if (!sealed) await addManifest(previous);
  }
  return [...found].sort();
}
