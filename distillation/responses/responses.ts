/**
 * Recorded responses of one teacher: single objects, put if absent, which compaction moves into shards. What makes the first
 * one win, for ever, without a lock:
 *  - a single is removed only when a durable shard holds its key, and shards are never removed;
 *  - so whoever reads or writes a single looks at the shards **after** that, and the shard counts. A second response that found
 *    its key free again is seen to be second by its writer and by every reader, and never gets into a shard.
 */
import { hasCode } from '../../config/errors.js';
import { digestOf, type ObjectStore } from '../../storage/index.js';
import {
  createOnce,
  decodeRecord,
  encodeRecord,
  inParallel,
  quarantine,
  readSmall,
  readUntilCertain,
  type Reading,
} from '../../storage/records/index.js';
import type { Compaction } from './ledger.js';
import { nameOf, pathsOf, type ResponsePaths } from './paths.js';
import type { RequestKey } from './request-key.js';
import { responseKind, type RecordedResponse } from './response.js';
import { Shards } from './shards.js';

const readsInFlight = 32;
/** For so many keys singles are asked for, not listed: who looks for many in parts does not list them all for every part. */
const fewKeys = 256;
/** Of the singles that go into one shard. */
const shardBytes = 16 * 1024 * 1024;

export class Responses {
  readonly #store: ObjectStore;
  readonly #paths: ResponsePaths;
  readonly #shards: Shards;

  /** @param teacher see `teacherKey` */
  constructor(store: ObjectStore, teacher: string) {
    this.#store = store;
    this.#paths = pathsOf(teacher);
    this.#shards = new Shards(store, this.#paths);
  }

  async find(keys: Iterable<RequestKey>): Promise<Map<RequestKey, RecordedResponse>> {
    const wanted = new Set(keys);
    const found = new Map<RequestKey, RecordedResponse>();
    // A shard counts, and is never removed: what is known to lie in one needs no other look.
    const elsewhere = new Set([...wanted].filter((key) => !this.#shards.has(key)));
    await inParallel(readsInFlight, await this.#singlesAmong(elsewhere), async (key) => {
      const single = await this.#readSingle(key);
      if (single) found.set(key, single.response);
    });
    if (elsewhere.size > 0) await this.#shards.refresh();
    for (const [key, response] of await this.#shards.read(wanted)) found.set(key, response);
    return found;
  }

  async findOne(key: RequestKey): Promise<RecordedResponse | undefined> {
    return (await this.find([key])).get(key);
  }

  /** @returns what is recorded for the key: this one, or the one that was first */
  async put(response: RecordedResponse): Promise<RecordedResponse> {
    const { key } = response;
    const bytes = encodeRecord(responseKind, response);
    for (;;) {
      const isWritten = await this.#putSingle(key, bytes);
      const first = isWritten ? await this.#inShards(key) : await this.findOne(key);
      if (first ?? isWritten) return first ?? response;
      // What stood in the way was damaged, and is put aside now: the place is free.
    }
  }

  async #putSingle(key: RequestKey, bytes: Uint8Array): Promise<boolean> {
    try {
      await createOnce(this.#store, this.#paths.single(key), bytes);
      return true;
    } catch (error) {
      if (hasCode(error, 'object-exists')) return false;
      throw error;
    }
  }

  async #inShards(key: RequestKey): Promise<RecordedResponse | undefined> {
    await this.#shards.refresh();
    return (await this.#shards.read([key])).get(key);
  }

  /** Moves singles into shards; safe beside any number of others, and to be killed anywhere. @returns how many */
  async compact(onProgress: (progress: Compaction) => void = () => undefined): Promise<number> {
    let [moved, read, done] = [0, 0, 0];
    const watch: Watch = {
      onRead: () => onProgress({ read: (read += 1), done }),
      onRemoved: () => onProgress({ read, done: (done += 1) }),
    };
    let batch: RequestKey[] = [];
    let batchBytes = 0;
    for await (const { key, bytes } of this.#store.list(this.#paths.singles)) {
      if (batch.length > 0 && batchBytes + bytes > shardBytes) {
        moved += await this.#move(batch, watch);
        batch = [];
        batchBytes = 0;
      }
      batch.push(nameOf(key));
      batchBytes += bytes;
    }
    return moved + (batch.length > 0 ? await this.#move(batch, watch) : 0);
  }

  /** Singles are read before the shards are looked at: of what a shard holds already, the single came second. */
  async #move(keys: readonly RequestKey[], { onRead, onRemoved }: Watch): Promise<number> {
    const rows = new Map<RequestKey, Uint8Array>();
    await inParallel(readsInFlight, keys, async (key) => {
      const single = await this.#readSingle(key);
      if (single) rows.set(key, single.bytes);
      onRead();
    });
    await this.#shards.refresh();
    const found = [...rows.keys()];
    for (const key of found) if (this.#shards.has(key)) rows.delete(key);
    if (rows.size > 0) await this.#shards.write(rows);
    await inParallel(readsInFlight, found, async (key) => {
      await this.#store.remove(this.#paths.single(key));
      onRemoved();
    });
    return rows.size;
  }

  async #singlesAmong(wanted: ReadonlySet<RequestKey>): Promise<RequestKey[]> {
    if (wanted.size <= fewKeys) return [...wanted];
    const singles: RequestKey[] = [];
    for await (const { key } of this.#store.list(this.#paths.singles)) singles.push(nameOf(key));
    return singles.filter((key) => wanted.has(key));
  }

  /** One that is damaged is put aside: it is as if it had never been recorded. */
  async #readSingle(key: RequestKey): Promise<Single | undefined> {
    const name = this.#paths.single(key);
    try {
      return await readUntilCertain(name, () => this.#readSingleOnce(name));
    } catch (error) {
      if (hasCode(error, 'object-missing')) return undefined;
      if (!hasCode(error, 'record-invalid')) throw error;
      await quarantine(this.#store, name);
      return undefined;
    }
  }

  async #readSingleOnce(name: string): Promise<Reading<Single>> {
    const { bytes } = await readSmall(this.#store, name);
    try {
      return { value: { response: decodeRecord(responseKind, bytes, name), bytes } };
    } catch (error) {
      if (!hasCode(error, 'record-invalid')) throw error;
      return { fingerprint: digestOf(bytes), error };
    }
  }
}

interface Watch {
  readonly onRead: () => void;
  readonly onRemoved: () => void;
}

/** A response, and the bytes that it was written as. */
interface Single {
  readonly response: RecordedResponse;
  readonly bytes: Uint8Array;
}
