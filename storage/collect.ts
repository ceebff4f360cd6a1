/**
 * Collection: removes what nothing needs any more. It lists and judges everything first; any error while doing so ends it
 * with nothing deleted. Ages are by the store's clock and are read again right before each delete, since a writer renews the
 * age of what it is about to reference. It never touches heads, run records, plans, aliases or recorded
 * responses.
 *
 * The grace must be longer than the longest save. Zero is for a store whose writers are stopped.
 */
import { randomUUID } from 'node:crypto';
import { NightstillError, asNightstillError, hasCode } from '../config/errors.js';
import { manifestKind } from './manifest.js';
import { isInLayout, prefixes, removedKey } from './layout.js';
import type { ObjectDescription, ObjectStore } from './object-store.js';
import { inParallel } from './parallel.js';
import { Reachable, type Retention, type Youth } from './reachable.js';
import { encodeRecord, readRecord } from './record.js';
import { removeUnchanged } from './remove-unchanged.js';
import { resultKind } from './results.js';

export interface CollectionOptions extends Partial<Retention> {
  /** Report only; the default. */
  readonly dryRun?: boolean;
}

export interface Tally {
  readonly objects: number;
  readonly bytes: number;
}

export interface CollectionReport {
  readonly dryRun: boolean;
  readonly graceMs: number;
  /** Objects that stay, of those collection may touch. */
  readonly kept: Tally;
  /** What was removed, or would be in a dry run. */
  readonly removed: Tally;
  readonly removedBy: Readonly<Record<Sweepable, Tally>>;
  readonly removedKeys: readonly string[];
  /** Uploads that writers who died left unfinished, ended; 0 in a dry run. */
  readonly endedUploads: number;
}

/** In the order in which they are removed: a result goes before what it points to. */
const sweepable = ['results', 'checkpoints', 'blobs', 'quarantine', 'removed', 'clocks'] as const;
type Sweepable = (typeof sweepable)[number];

interface Candidate extends ObjectDescription {
  readonly from: Sweepable;
}

const dayMs = 24 * 60 * 60 * 1000;
/** HTTP dates count whole seconds: an object may be up to this much younger than it looks. */
const clockResolutionMs = 1000;
const deletesInFlight = 8;

/** @throws collection-refused when anything could not be listed, read or understood: then nothing was deleted */
export async function collect(
  store: ObjectStore,
  { dryRun = true, graceMs = dayMs, closedRuns = 20 }: CollectionOptions = {},
): Promise<CollectionReport> {
  const { isYoung, candidates, kept } = await judge(store, { graceMs, closedRuns });
  const removed: Candidate[] = [];
  for (const from of sweepable) {
    const group = candidates.filter((candidate) => candidate.from === from);
    await inParallel(deletesInFlight, group, async (candidate) => {
      if (dryRun || (await sweep(store, candidate, isYoung, graceMs))) removed.push(candidate);
    });
  }
  const endedUploads = dryRun ? 0 : ((await store.sweepUnfinished?.(graceMs, isInLayout)) ?? 0);
  const removedBy = Object.fromEntries(
    sweepable.map((from) => [from, tally(removed.filter((candidate) => candidate.from === from))]),
  ) as Record<Sweepable, Tally>;
  const removedKeys = removed.map(({ key }) => key).sort();
  return { dryRun, graceMs, kept, removed: tally(removed), removedBy, removedKeys, endedUploads };
}

async function judge(store: ObjectStore, retention: Retention) {
  try {
    const nowMs = await storeClock(store);
    const slackMs = retention.graceMs > 0 ? clockResolutionMs : 0;
    const isYoung: Youth = ({ modifiedAtMs }) => nowMs - modifiedAtMs < retention.graceMs + slackMs;
    const reachable = await Reachable.mark(store, isYoung, retention);
    const candidates: Candidate[] = [];
    const kept: ObjectDescription[] = [];
    for (const from of sweepable) {
      for await (const object of store.list(prefixes[from])) {
        const isReachable = reachable.keys.has(object.key);
        if (from === 'checkpoints' && !isReachable) await assertUnderstood(store, object.key);
        if (isReachable || isYoung(object)) kept.push(object);
        else candidates.push({ ...object, from });
      }
    }
    return { isYoung, candidates, kept: tally(kept) };
  } catch (error) {
    const { code, message } = asNightstillError(error);
    throw new NightstillError('collection-refused', `nothing was deleted: ${code}: ${message}`, { cause: error });
  }
}

/**
 * The time by the only clock that counts, that of the store: the age of an object written just now, as it is described. (An
 * HTTP server may answer with a date that is older than what it writes down.)
 */
async function storeClock(store: ObjectStore): Promise<number> {
  const key = `${prefixes.clocks}${randomUUID()}`;
  await store.put(key, new Uint8Array());
  const now = await store.describe(key);
  await store.remove(key);
  if (now) return now.modifiedAtMs;
  throw new NightstillError('store-unavailable', `${key}: expected the object written just now, found none`);
}

/** A manifest of a newer release means that newer rules of reachability hold here. A damaged one has nothing to say. */
async function assertUnderstood(store: ObjectStore, key: string): Promise<void> {
  try {
    await readRecord(store, manifestKind, key);
  } catch (error) {
    if (!hasCode(error, 'record-invalid')) throw error;
  }
}

async function sweep(store: ObjectStore, candidate: Candidate, isYoung: Youth, graceMs: number): Promise<boolean> {
  const { key, from } = candidate;
  if (from === 'results' && graceMs > 0) await leaveTombstone(store, key);
  return removeUnchanged(store, key, (now) => now.modifiedAtMs === candidate.modifiedAtMs && !isYoung(now));
}

/** A copy of a result that goes: its age is what the blobs wait for. Another collection may have taken the result. */
async function leaveTombstone(store: ObjectStore, key: string): Promise<void> {
  const read = await readRecord(store, resultKind, key);
  if (read) await store.put(removedKey(read.value.stageKey), encodeRecord(resultKind, read.value));
}

const tally = (objects: readonly ObjectDescription[]): Tally => ({
  objects: objects.length,
  bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
});
