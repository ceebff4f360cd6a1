/**
 * Hashing of large byte arrays on a thread of its own, so that a process that trains or heartbeats is not held up. Memory is
 * handed to the thread and back, never copied; what is small is hashed on the spot.
 *
 * The one thread of a process starts with the first large array and does not keep the process alive. Like libuv's pool it
 * holds no state between calls, so nobody opens or closes it.
 */
import { Worker } from 'node:worker_threads';
import { NightstillError } from '../config/errors.js';
import { digestOf, parseDigest, type Digest } from './digest.js';

export interface Hashed {
  readonly digest: Digest;
  /** Digests of consecutive chunks, when a chunk size was given. */
  readonly chunks: readonly Digest[];
  /** The bytes again: what was handed in is detached. */
  readonly bytes: OwnedBytes;
}

/** Bytes that fill a buffer of their own: nobody else sees it, so it may change threads. */
export type OwnedBytes = Uint8Array<ArrayBuffer>;

/** Neither zeroed first nor cut from Node's shared pool. */
export const ownedBytes = (bytes: number): OwnedBytes => Buffer.allocUnsafeSlow(bytes);

interface Answer {
  readonly id: number;
  readonly bytes: OwnedBytes;
  readonly digests: readonly string[];
}

interface Waiting {
  readonly settle: (answer: Answer) => void;
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
  const chunks = [];
  for (let start = 0; start < bytes.length; start += chunkBytes || bytes.length) {
    const chunk = bytes.subarray(start, start + (chunkBytes || bytes.length));
    whole.update(chunk);
    if (chunkBytes > 0) chunks.push(createHash('sha256').update(chunk).digest('hex'));
  }
  parentPort.postMessage({ id, bytes, digests: [whole.digest('hex'), ...chunks] }, [bytes.buffer]);
});
`;

class HashingThread {
  readonly #worker = new Worker(program, { eval: true, name: 'nightstill-hashing', execArgv: [] });
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  isAlive = true;

  constructor() {
    this.#worker.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.settle(answer);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) this.#worker.unref();
    });
    this.#worker.on('error', (cause) => this.#end(cause));
    this.#worker.on('exit', () => this.#end());
    this.#worker.unref();
  }

  hash(bytes: OwnedBytes, chunkBytes: number): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((settle, fail) => {
      this.#worker.postMessage({ id, bytes, chunkBytes }, [bytes.buffer]);
      this.#waiting.set(id, { settle, fail });
      this.#worker.ref(); // while somebody waits, the process must not end
    });
  }

  #end(cause?: unknown): void {
    this.isAlive = false;
    const error = new NightstillError('unexpected', 'expected a digest, found the hashing thread ended', { cause });
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }
}

let thread: HashingThread | undefined;

/**
 * Hashes bytes that the caller gives away until they come back.
 * @param chunkBytes also give the digests of chunks of this size; 0 for none
 */
export async function hashOwned(bytes: OwnedBytes, chunkBytes = 0): Promise<Hashed> {
  if (bytes.length <= onTheSpotBytes) {
    const starts = chunkBytes === 0 ? [] : Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, at) => at);
    const chunks = starts.map((at) => digestOf(bytes.subarray(at * chunkBytes, (at + 1) * chunkBytes)));
    return { digest: digestOf(bytes), chunks, bytes };
  }
  if (!thread?.isAlive) thread = new HashingThread();
  const { bytes: returned, digests } = await thread.hash(bytes, chunkBytes);
  const [digest = '', ...chunks] = digests;
  return { digest: named(digest), chunks: chunks.map(named), bytes: returned };
}

const named = (hex: string): Digest => parseDigest(`sha256:${hex}`);
