/**
 * Shards: many responses in one object, as JSON lines in the order of their keys, and beside it an index by which the shard
 * exists. Both are written once, rows first, and never removed. A row is, byte for byte, the record that was written alone before
 * and carries its own digest: it is read by its range and verified without the rest.
 */
import { z } from 'zod';
import { NightstillError, hasCode } from '../../config/errors.js';
import { digestOf, hexOf, type ObjectStore } from '../../storage/index.js';
import {
  createOnce,
  decodeRecord,
  encodeRecord,
  inParallel,
  readRecord,
  readUntilCertain,
  type RecordKind,
} from '../../storage/records/index.js';
import { coalesced } from './coalesce.js';
import { nameOf, type ResponsePaths } from './paths.js';
import type { RequestKey } from './request-key.js';
import { keySchema, responseKind, type RecordedResponse } from './response.js';

const indexSchema = z.looseObject({
  /** Key and length in bytes of every row, its line feed included. */
  rows: z.array(z.tuple([keySchema, z.number().int().positive()])),
});
const indexKind: RecordKind<z.output<typeof indexSchema>> = { kind: 'response-shard', version: 1, schema: indexSchema };

interface Place {
  readonly shard: string;
  readonly start: number;
  readonly end: number;
}

/** Reads nearer to each other than this are one. */
const gapBytes = 64 * 1024;
const longestRead = 8 * 1024 * 1024;
const readsInFlight = 16;

export class Shards {
  readonly #store: ObjectStore;
  readonly #paths: ResponsePaths;
  readonly #known = new Set<string>();
  readonly #places = new Map<RequestKey, Place>();

  constructor(store: ObjectStore, paths: ResponsePaths) {
    this.#store = store;
    this.#paths = paths;
  }

  /** Learns of every shard that was written before the call. */
  readonly refresh = coalesced(async () => {
    const unknown: string[] = [];
    for await (const { key } of this.#store.list(this.#paths.shards))
      if (!this.#known.has(nameOf(key))) unknown.push(nameOf(key));
    await inParallel(readsInFlight, unknown, async (id) => {
      const index = await readRecord(this.#store, indexKind, this.#paths.shard(id));
      if (index) this.#learn(id, index.value.rows);
    });
  });

  /** As of the last refresh. */
  has(key: RequestKey): boolean {
    return this.#places.has(key);
  }

  /** Of those that were known at the last refresh. @throws record-invalid for a row that is damaged */
  async read(keys: Iterable<RequestKey>): Promise<Map<RequestKey, RecordedResponse>> {
    const places = [...keys].flatMap((key) => this.#places.get(key) ?? []);
    const found = new Map<RequestKey, RecordedResponse>();
    await inParallel(readsInFlight, joined(places), async (stretch) => {
      for (const response of await this.#readStretch(stretch)) found.set(response.key, response);
    });
    return found;
  }

  /** Durable, and read back, when it returns. */
  async write(rows: ReadonlyMap<RequestKey, Uint8Array>): Promise<void> {
    const sorted = [...rows].sort(([one], [other]) => (one < other ? -1 : 1));
    const lines = sorted.map(([key, bytes]) => [key, Buffer.concat([bytes, Buffer.from('\n')])] as const);
    const whole = Buffer.concat(lines.map(([, line]) => line));
    const id = hexOf(digestOf(whole));
    const index = lines.map(([key, line]): [string, number] => [key, line.length]);
    await createOnce(this.#store, this.#paths.rows(id), whole);
    await readUntilCertain(id, async () => {
      const stored = digestOf(await this.#readRange(id, { start: 0, end: whole.length }));
      return hexOf(stored) === id ? { value: true } : { fingerprint: stored, error: damaged(this.#paths.rows(id)) };
    });
    await createOnce(this.#store, this.#paths.shard(id), encodeRecord(indexKind, { rows: index }));
    this.#learn(id, index);
  }

  /** Of two shards that hold a key both hold the same row, see `compact.ts`. */
  #learn(shard: string, rows: readonly (readonly [RequestKey, number])[]): void {
    this.#known.add(shard);
    let start = 0;
    for (const [key, bytes] of rows) {
      this.#places.set(key, { shard, start, end: start + bytes });
      start += bytes;
    }
  }

  async #readStretch({ shard, places, start, end }: Stretch): Promise<RecordedResponse[]> {
    const name = this.#paths.rows(shard);
    return readUntilCertain(name, async () => {
      const bytes = await this.#readRange(shard, { start, end });
      try {
        const rowOf = (place: Place): Uint8Array => bytes.subarray(place.start - start, place.end - start);
        return { value: places.map((place) => decodeRecord(responseKind, rowOf(place), name)) };
      } catch (error) {
        if (!hasCode(error, 'record-invalid')) throw error;
        return { fingerprint: digestOf(bytes), error };
      }
    });
  }

  async #readRange(shard: string, range: { readonly start: number; readonly end: number }): Promise<Buffer> {
    const { body } = await this.#store.get(this.#paths.rows(shard), { range, isVerified: true });
    const chunks: Uint8Array[] = [];
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

/** Rows of one shard that are read together. */
interface Stretch extends Place {
  readonly places: readonly Place[];
}

function joined(places: readonly Place[]): Stretch[] {
  const sorted = [...places].sort((one, other) =>
    one.shard === other.shard ? one.start - other.start : one.shard < other.shard ? -1 : 1,
  );
  const stretches: Stretch[] = [];
  for (const place of sorted) {
    const last = stretches.at(-1);
    const isNear =
      last?.shard === place.shard && place.start - last.end <= gapBytes && place.end - last.start <= longestRead;
    if (isNear) stretches[stretches.length - 1] = { ...last, end: place.end, places: [...last.places, place] };
    else stretches.push({ ...place, places: [place] });
  }
  return stretches;
}

const damaged = (key: string): NightstillError =>
  new NightstillError('object-damaged', `${key}: expected the rows that were written just now, found others`, {
    details: { key },
  });
