/**
 * Does this store keep the promise on which everything else stands, that of concurrent conditional writes exactly one
 * wins? Many S3 servers say yes and race. The probe races writers for a few rounds and refuses the store on the first
 * round with two winners. A store that passed is marked, so that later opens cost one read; a refusal is not remembered,
 * because the remedy is to repair the store.
 * Passing proves nothing; it catches servers that check first and write later, which lose within a round or two.
 */
import { randomUUID } from 'node:crypto';
import { hasCode, NightstillError } from '../config/errors.js';
import type { ObjectDescription, ObjectKey, ObjectStore } from './object-store.js';

const verdictKey = 'probe/verdict.json';
/** Raised when the probe learns to see more; stores that passed an older one are probed again. */
const probeVersion = 1;
const racers = 8;
const rounds = 5;

interface ProbeOptions {
  readonly signal?: AbortSignal;
}

/** Probes the store unless it passed before. @throws store-not-atomic, and what the store throws */
export async function probeOnce(store: ObjectStore, options: ProbeOptions = {}): Promise<void> {
  if (await hasPassed(store, options)) return;
  await probe(store, options);
  const verdict = { version: probeVersion, passedAt: new Date().toISOString(), racers, rounds };
  await store.put(verdictKey, Buffer.from(`${JSON.stringify(verdict)}\n`), options);
}

/** Races creators and movers. Leaves nothing behind, unless it is aborted. @throws store-not-atomic, and what the store throws */
export async function probe(store: ObjectStore, options: ProbeOptions = {}): Promise<void> {
  const prefix = `probe/${randomUUID()}`;
  for (let round = 0; round < rounds; round++) {
    const key = `${prefix}-${round}`;
    try {
      await race(store, 'putIfAbsent', (body) => store.putIfAbsent(key, body, options));
      const version = await versionOf(store, key, options);
      await race(store, 'putIfMatch', (body) => store.putIfMatch(key, body, version, options));
    } finally {
      await store.remove(key, options).catch(() => undefined);
    }
  }
}

async function race(
  store: ObjectStore,
  operation: string,
  write: (body: Uint8Array) => Promise<ObjectDescription>,
): Promise<void> {
  const bodies = Array.from({ length: racers }, () => Buffer.from(randomUUID()));
  const outcomes = await Promise.allSettled(bodies.map(write));
  // No winner at all is possible: its answer was lost, and the repeated request met its own write.
  const winners = outcomes.filter(({ status }) => status === 'fulfilled').length;
  if (winners > 1) {
    throw new NightstillError(
      'store-not-atomic',
      `${store.url}: expected one winner of ${racers} concurrent ${operation}, found ${winners}`,
      { details: { store: store.url, operation, winners } },
    );
  }
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled' || hasCode(outcome.reason, 'object-exists', 'object-changed')) continue;
    if (hasCode(outcome.reason) && outcome.reason.details['httpStatus'] === 501)
      throw unknownTo(store, operation, outcome.reason);
    throw outcome.reason;
  }
}

const unknownTo = (store: ObjectStore, operation: string, cause: unknown): NightstillError =>
  new NightstillError(
    'store-not-atomic',
    `${store.url}: expected conditional writes, found ${operation} not implemented`,
    {
      cause,
      details: { store: store.url, operation },
    },
  );

async function versionOf(store: ObjectStore, key: ObjectKey, options: ProbeOptions): Promise<string> {
  const description = await store.describe(key, options);
  if (description !== undefined) return description.version;
  throw new NightstillError('store-not-atomic', `${store.url}: expected the object just written, found none`, {
    details: { store: store.url, key, operation: 'describe' },
  });
}

/** Did this store pass this version of the probe? @throws what the store throws */
export async function hasPassed(store: ObjectStore, options: ProbeOptions = {}): Promise<boolean> {
  try {
    const { body } = await store.get(verdictKey, options);
    const verdict: unknown = JSON.parse(Buffer.concat(await body.toArray()).toString());
    return typeof verdict === 'object' && verdict !== null && 'version' in verdict && verdict.version === probeVersion;
  } catch (error) {
    if (hasCode(error, 'object-missing', 'object-damaged') || error instanceof SyntaxError) return false;
    throw error;
  }
}
