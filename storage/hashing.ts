/**
 * Hashing of large byte arrays on a thread of its own, so that a process that trains or heartbeats is not held up. Bytes in
 * shared memory are hashed where they are; others are copied over once. What is small is hashed on the spot.
 *
 * The one thread of a process starts with the first large array and does not keep the process alive. Like libuv's pool it
 * holds no state between calls, so nobody opens or closes it.
 */
import { Worker } from 'node:worker_threads';
import { NightstillError } from '../config/errors.js';
import { digestOf, parseDigest, type Digest } from './digest.js';

export interface ChunkedDigest {
  readonly digest: Digest;
  /** Digests of consecutive chunks, when a chunk size was given. */
  readonly chunks: readonly Digest[];
}

interface Waiting {
  readonly settle: (digests: readonly string[]) => void;
  readonly fail: (error: unknown) => void;
}

/** Below this a message to the thread costs more than the hash: 256 KiB take 0.3 ms. */
const onTheSpotBytes = 256 * 1024;

/** The program of the thread, as text: it must run the same from source, compiled, bundled and under a test runner. */
const program = `
const { createHash } = require('node:crypto');
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ id, bytes, chunkBytes }) => {
  const whole = createHash('sha256');
  const digests = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    const chunk = bytes.subarray(start, start + chunkBytes);
    whole.update(chunk);
    digests.push(createHash('sha256').update(chunk).digest('hex'));
  }
  parentPort.postMessage({ id, digests: [whole.digest('hex'), ...digests] });
});
`;

class HashingThread {
  readonly #worker = new Worker(program, { eval: true, name: 'nightstill-hashing', execArgv: [] });
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  isAlive = true;

  constructor() {
    this.#worker.on('message', ({ id, digests }: { id: number; digests: string[] }) => {
      this.#waiting.get(id)?.settle(digests);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#worker.unref();
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new NightstillError('unexpected', 'the hashing thread has ended')));
    this.#worker.unref();
  }

  hash(bytes: Uint8Array, chunkBytes: number): Promise<readonly string[]> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#worker.ref(); // while somebody waits, the process must not end
    return new Promise((settle, fail) => {
      this.#waiting.set(id, { settle, fail });
      this.#worker.postMessage({ id, bytes, chunkBytes });
    });
  }

  #end(error: unknown): void {
    this.isAlive = false;
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }
}

let thread: HashingThread | undefined;

/** @param chunkBytes also give the digests of chunks of this size */
export async function hashOf(bytes: Uint8Array, chunkBytes = Number.MAX_SAFE_INTEGER): Promise<ChunkedDigest> {
  if (bytes.length <= Math.min(onTheSpotBytes, chunkBytes)) {
    const digest = digestOf(bytes);
    return { digest, chunks: bytes.length === 0 ? [] : [digest] };
  }
  if (!thread?.isAlive) thread = new HashingThread();
  const [digest = '', ...chunks] = await thread.hash(bytes, chunkBytes);
  return { digest: named(digest), chunks: chunks.map(named) };
}

const named = (hex: string): Digest => parseDigest(`sha256:${hex}`);

/** Memory that the hashing thread reads without a copy. */
export const sharedBytes = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes));
