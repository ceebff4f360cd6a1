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

export interface TakenUp {
  /** The number of the checkpoint that it went on from; 0 when it began anew. */
  readonly from: number;
  /** The number of the first checkpoint that it saved. */
  readonly saved: number;
}

/** How the claims of a stage began, in their order: those that saved something. */
export async function takenUp(url: string, stageKey: StageKey): Promise<readonly TakenUp[]> {
  const store = await openObjectStore(url);
  try {
    const byFence = new Map<number, TakenUp>();
    for (const key of await keysOf(store, manifestPrefix(stageKey))) {
      const manifest = (await readRecord(store, manifestKind, key))?.value;
      if (manifest === undefined || manifest.step >= (byFence.get(manifest.fence)?.saved ?? Infinity)) continue;
      byFence.set(manifest.fence, { from: manifest.parent?.step ?? 0, saved: manifest.step });
    }
    return [...byFence].toSorted(([one], [other]) => one - other).map(([, began]) => began);
  } finally {
    await store.close();
  }
}
