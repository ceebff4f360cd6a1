/** One measurement of `storage.ts`, in a process of its own: does the work, then sends rate and growth of memory. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import { Readable } from 'node:stream';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import {
  claimStage,
  openObjectStore,
  parseDigest,
  readBlob,
  type BlobRef,
  type ObjectStore,
} from '../storage/index.js';
import { putBlob } from '../storage/blobs.js';
import { readsInFlight } from '../storage/packs.js';
import { inParallel } from '../storage/parallel.js';

export interface Task {
  readonly task: 'put-large' | 'put-blobs' | 'get-large' | 'get-blobs' | 'put-small' | 'get-small' | 'stall';
  readonly side: 'ours' | 'theirs';
  readonly url: string;
}

export interface Measurement {
  /** MB/s or objects/s. */
  readonly rate: number;
  readonly rssGrowthBytes: number;
  readonly stallMs?: readonly number[];
  readonly copyMs?: readonly number[];
}

const mebibyte = 2 ** 20;
const largeBytes = 1024 * mebibyte;
const partBytes = 16 * mebibyte;
const smallObjects = 2000;
const smallBytes = 10_000;
const smallInFlight = 16;

/** What a server or a disk could shrink or deduplicate would measure something else: every part is different noise. */
function part(index: number, bytes = partBytes): Uint8Array<ArrayBuffer> {
  const content = Buffer.allocUnsafeSlow(bytes);
  const words = new Uint32Array(content.buffer, 0, bytes >> 2);
  let state = (index + 1) * 2654435761;
  for (let word = 0; word < words.length; word += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[word] = state;
  }
  return content;
}

/** The same noise in a ring, so that making it is no part of what is measured; the first word numbers the part. */
const ring = Array.from({ length: 8 }, (_, index) => part(index));
function numberedPart(index: number): Uint8Array<ArrayBuffer> {
  const content = ring[index % ring.length] ?? part(index);
  new DataView(content.buffer).setUint32(0, index);
  return content;
}
const indices = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const parts = indices(largeBytes / partBytes);
const smalls = indices(smallObjects);
const smallContent = part(99, smallBytes);

async function* largeContent(): AsyncGenerator<Uint8Array> {
  for (const index of parts) yield numberedPart(index);
}

async function drain(
  body: AsyncIterable<Uint8Array>,
  see: (chunk: Uint8Array) => void = () => undefined,
): Promise<void> {
  for await (const chunk of body) see(chunk);
}

type Works = Record<Exclude<Task['task'], 'stall'>, () => Promise<void>>;

function oursBy(store: ObjectStore): Works {
  return {
    'put-large': async () => {
      await store.put('bench/large', { bytes: largeBytes, open: largeContent });
    },
    'get-large': async () => drain((await store.get('bench/large')).body),
    'put-blobs': () => inParallel(4, parts, async (index) => void (await putBlob(store, numberedPart(index)))),
    'get-blobs': async () => {
      const blobs: BlobRef[] = [];
      for await (const { key, bytes } of store.list('blobs/sha256/'))
        blobs.push({ digest: parseDigest(`sha256:${key.slice('blobs/sha256/'.length)}`), bytes });
      if (blobs.length !== parts.length) throw new Error(`expected ${parts.length} blobs, found ${blobs.length}`);
      const spare: Awaited<ReturnType<typeof readBlob>>[] = [];
      await inParallel(
        readsInFlight,
        blobs,
        async (blob) => void spare.push(await readBlob(store, blob, { memory: spare.pop() })),
      );
    },
    'put-small': () =>
      inParallel(smallInFlight, smalls, async (index) => void (await store.put(`bench/small/${index}`, smallContent))),
    'get-small': () =>
      inParallel(smallInFlight, smalls, async (index) => drain((await store.get(`bench/small/${index}`)).body)),
  };
}

function theirsBy(url: URL): Works {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const client = new S3Client({
    region: url.searchParams.get('region') ?? '',
    endpoint: url.searchParams.get('endpoint') ?? '',
    forcePathStyle: true,
    requestHandler: new NodeHttpHandler({ httpAgent: agent }),
  });
  const Bucket = url.host;
  const upload = async (Key: string, Body: Uint8Array | Readable): Promise<void> => {
    await new Upload({ client, params: { Bucket, Key, Body }, partSize: partBytes, queueSize: 4 }).done();
  };
  const get = async (Key: string, see: (chunk: Uint8Array) => void = () => undefined): Promise<void> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    await drain(Body as Readable, see);
  };
  const putLarge = (): Promise<void> => upload('theirs/large', Readable.from(largeContent()));
  const getLarge = (): Promise<void> => get('theirs/large');
  return {
    'put-large': putLarge,
    'get-large': getLarge,
    'put-blobs': putLarge,
    'get-blobs': () => {
      const hash = createHash('sha256');
      return get('theirs/large', (chunk) => hash.update(chunk));
    },
    'put-small': () => inParallel(smallInFlight, smalls, (index) => upload(`theirs/small/${index}`, smallContent)),
    'get-small': () => inParallel(smallInFlight, smalls, (index) => get(`theirs/small/${index}`)),
  };
}

/**
 * The best of several goes, and the growth of the resident set while they run, sampled: what was there before does not count.
 * A get of 1 GiB takes half a second, which says little once.
 */
async function measured(amount: number, goes: number, work: () => Promise<void>): Promise<Measurement> {
  globalThis.gc?.();
  const base = process.memoryUsage.rss();
  let peak = base;
  const sampling = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  let rate = 0;
  for (const _go of indices(goes)) {
    const started = performance.now();
    await work();
    rate = Math.max(rate, (amount * 1000) / (performance.now() - started));
  }
  clearInterval(sampling);
  return { rate, rssGrowthBytes: Math.max(peak, process.memoryUsage.rss()) - base };
}

/** How long `save` holds its caller, against copying the same arrays into fresh memory. */
async function stall(store: ObjectStore): Promise<Measurement> {
  const arrays = new Map(indices(64).map((index) => [`tensor-${index}`, part(index, 4 * mebibyte)] as const));
  const owner = { workflowId: 'bench', runId: 'bench', activityId: 'bench', attempt: 1 };
  const stageKey = '0'.repeat(64);
  const writer = await claimStage(store, { stageKey, owner, isOpen: () => Promise.resolve(false) });
  const restoredStep = (await writer.restore())?.step ?? 0;
  const stallMs: number[] = [];
  const copyMs: number[] = [];
  for (const round of indices(7)) {
    globalThis.gc?.();
    const copyStarted = performance.now();
    const copies = [...arrays.values()].map((array) => {
      const copy = Buffer.allocUnsafeSlow(array.length);
      copy.set(array);
      return copy;
    });
    copyMs.push(performance.now() - copyStarted);
    if (copies.length !== arrays.size) throw new Error('expected a copy of every array');
    copies.length = 0;
    globalThis.gc?.();
    const saveStarted = performance.now();
    const { durable } = writer.save({ step: restoredStep + round + 1, state: { round }, arrays });
    stallMs.push(performance.now() - saveStarted);
    await durable;
  }
  return { rate: 0, rssGrowthBytes: 0, stallMs, copyMs };
}

async function main(): Promise<void> {
  const { task, side, url } = JSON.parse(process.argv[2] ?? '') as Task;
  const store = await openObjectStore(url, { forWriting: true });
  const works = side === 'ours' ? oursBy(store) : theirsBy(new URL(url));
  const amount = task.endsWith('small') ? smallObjects : largeBytes / 1e6;
  const measurement =
    task === 'stall' ? await stall(store) : await measured(amount, task.startsWith('get') ? 5 : 1, works[task]);
  await store.close();
  process.send?.(measurement, () => process.exit());
}

await main();
