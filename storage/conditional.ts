/**
 * Writes that must happen once, over a network that loses answers. A conditional write that is refused may have been refused
 * because our own earlier try was applied and its answer lost (the SDK repeats requests inside). Therefore
 *  - an immutable key that already holds our bytes counts as written;
 *  - a moving record carries the id of the operation that wrote it and of those before: ours among them means applied.
 *    Otherwise the policy is evaluated anew on what is there now; the write is never repeated blindly.
 * The operation id and the counter also keep equal bodies apart, which an If-Match on an ETag alone would confuse (ABA).
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { NightstillError, hasCode } from '../config/errors.js';
import { digestOf, type Digest } from './digest.js';
import type { ObjectStore } from './object-store.js';
import { readUntilCertain } from './reading.js';
import { encodeRecord, readRecord, readSmall, type ReadRecord, type RecordKind } from './record.js';

/** What every moving record carries besides its own fields. */
export const movingFields = {
  /** Grows by one with every move. */
  counter: z.number().int().positive(),
  /** The operation that wrote this body. */
  operationId: z.string(),
  /** The operations before it, newest first. */
  operations: z.array(z.string()),
};
export type MovingFields = { [Field in keyof typeof movingFields]: z.output<(typeof movingFields)[Field]> };

/** More moves than this between a lost answer and the next look would make an applied operation look lost. */
const operationsKept = 64;
const attempts = 12;

export const newOperationId = (): string => randomUUID();

/**
 * Writes an immutable object. Equal bytes that are there already are a success.
 * @throws object-exists when other bytes are there
 */
export async function createOnce(store: ObjectStore, key: string, bytes: Uint8Array): Promise<void> {
  await persistently(async () => {
    try {
      await store.putIfAbsent(key, bytes);
      return true;
    } catch (error) {
      if (!hasCode(error, 'object-exists')) throw error;
      return holds(store, key, digestOf(bytes), error);
    }
  });
}

/** Are our bytes there already? Undefined when there is nothing any more. @throws `otherwise` when other bytes are there */
async function holds(
  store: ObjectStore,
  key: string,
  expected: Digest,
  otherwise: NightstillError,
): Promise<true | undefined> {
  try {
    return await readUntilCertain<true>(key, async () => {
      const found = digestOf((await readSmall(store, key)).bytes);
      return found === expected ? { value: true } : { fingerprint: found, error: otherwise };
    });
  } catch (error) {
    if (hasCode(error, 'object-missing')) return undefined;
    throw error;
  }
}

export interface Move<Value extends MovingFields> {
  readonly kind: RecordKind<Value>;
  readonly key: string;
  readonly operationId: string;
  /** What the caller believes is there; saves a read. Wrong beliefs cost a round trip, nothing else. */
  readonly known?: ReadRecord<Value> | undefined;
  /**
   * The policy: the record to write over what is there, `moving` spread into it, or a throw. Called again whenever somebody
   * else was faster.
   */
  readonly decide: (current: Value | undefined, moving: MovingFields) => Promise<Value> | Value;
}

/**
 * Moves a record by compare-and-swap.
 * @returns the record as it stands after the operation was applied; later operations of others may be on top already
 * @throws whatever `decide` throws; store-unavailable when the outcome could not be learned
 */
export async function moveRecord<Value extends MovingFields>(
  store: ObjectStore,
  { kind, key, operationId, known, decide }: Move<Value>,
): Promise<ReadRecord<Value>> {
  let belief = known;
  return persistently(async () => {
    const current = belief ?? (await readRecord(store, kind, key));
    belief = undefined;
    if (current && wasApplied(current.value, operationId)) return current;
    const value = await decide(current?.value, movedBy(operationId, current?.value));
    const bytes = encodeRecord(kind, value);
    try {
      const written = current
        ? await store.putIfMatch(key, bytes, current.objectVersion)
        : await store.putIfAbsent(key, bytes);
      return { value, objectVersion: written.version, modifiedAtMs: written.modifiedAtMs, digest: digestOf(bytes) };
    } catch (error) {
      if (hasCode(error, 'object-changed', 'object-exists')) return undefined;
      throw error;
    }
  }, `${key}: moved by others ${attempts} times in a row`);
}

const movedBy = (operationId: string, current: MovingFields | undefined): MovingFields => ({
  counter: (current?.counter ?? 0) + 1,
  operationId,
  operations: current ? [current.operationId, ...current.operations].slice(0, operationsKept) : [],
});

const wasApplied = (record: MovingFields, operationId: string): boolean =>
  record.operationId === operationId || record.operations.includes(operationId);

/** Repeats a step that says `undefined` (somebody else was faster) or meets a store that does not answer, with back-off. */
async function persistently<Value>(step: () => Promise<Value | undefined>, otherwise = 'no answer'): Promise<Value> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const value = await step();
      if (value !== undefined) return value;
      if (attempt >= attempts) throw new NightstillError('store-unavailable', otherwise);
    } catch (error) {
      if (!hasCode(error, 'store-unavailable') || attempt >= attempts) throw error;
    }
    await sleep(Math.random() * Math.min(2000, 10 * 2 ** attempt));
  }
}
