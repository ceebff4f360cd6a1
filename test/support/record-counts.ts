/** How often the stages of a store were recorded: what a crash must not multiply. */
import { openObjectStore } from '../../storage/index.js';
import { headKind } from '../../storage/head.js';
import { headKey, manifestPrefix, stageKeyOf, prefixes, type StageKey } from '../../storage/layout.js';
import { manifestKind } from '../../storage/manifest.js';
import { readRecord } from '../../storage/record.js';
import { resultKind } from '../../storage/results.js';
import { keysOf } from './stage.js';

export interface RecordCounts {
  readonly results: number;
  readonly heads: number;
  /** Results that are the copy of the seal that their head points to. */
  readonly copiesOfSeals: number;
}

export async function countRecords(url: string): Promise<RecordCounts> {
  const store = await openObjectStore(url);
  try {
    const results = await keysOf(store, prefixes.results);
    const heads = await keysOf(store, prefixes.heads);
    let copiesOfSeals = 0;
    for (const key of results) {
      const result = await readRecord(store, resultKind, key);
      const head = await readRecord(store, headKind, headKey(stageKeyOf(prefixes.results, key) ?? ''));
      if (head?.value.sealed && head.value.manifest?.fence === result?.value.fence) copiesOfSeals += 1;
    }
    return { results: results.length, heads: heads.length, copiesOfSeals };
  } finally {
    await store.close();
  }
}

/** Version of everything in a store that may be moved: heads, results, records of runs. */
export async function movingObjects(url: string): Promise<Readonly<Record<string, string | undefined>>> {
  const store = await openObjectStore(url);
  try {
    const found: Record<string, string | undefined> = {};
    for (const prefix of [prefixes.heads, prefixes.results, prefixes.runs])
      for (const key of await keysOf(store, prefix)) found[key] = (await store.describe(key))?.version;
    return found;
  } finally {
    await store.close();
  }
}

/**
 * What the claims of a stage went on from, for each fence that saved something, in their order: the number of the checkpoint
 * that its first one has as a parent, and 0 for one that began anew.
 */
export async function takenUpAt(url: string, stageKey: StageKey): Promise<readonly number[]> {
  const store = await openObjectStore(url);
  try {
    const firstOf = new Map<number, { readonly step: number; readonly from: number }>();
    for (const key of await keysOf(store, manifestPrefix(stageKey))) {
      const manifest = (await readRecord(store, manifestKind, key))?.value;
      if (manifest === undefined || manifest.step >= (firstOf.get(manifest.fence)?.step ?? Infinity)) continue;
      firstOf.set(manifest.fence, { step: manifest.step, from: manifest.parent?.step ?? 0 });
    }
    return [...firstOf].toSorted(([one], [other]) => one - other).map(([, { from }]) => from);
  } finally {
    await store.close();
  }
}
