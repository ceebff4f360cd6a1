/**
 * Replies by idempotency key, in a directory. A reply is durable before anybody gets it, so that the same key gives the same
 * bytes whenever it is asked again, also after this process was killed: a key is computed again only when its first reply was
 * never recorded, and so never given. One file a key, complete or not there.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { syncDirectory, writeAtomically } from '../../engine/files/index.js';
import { holdSocket } from '../abstract-socket.js';
import { ApiError } from './api-error.js';

export interface RecordedReply {
  readonly contentType: string;
  readonly body: Buffer;
}

/** What a key stands for: the digests of what was asked, and of the files of the model that is to answer. */
export interface KeyedRequest {
  readonly key: string;
  readonly digest: string;
  readonly modelDigest: string;
}

const headSchema = z.looseObject({
  version: z.literal(1),
  key: z.string(),
  requestDigest: z.string(),
  modelDigest: z.string(),
  contentType: z.string(),
  bodyDigest: z.string(),
});

const partial = '.partial';

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

export class IdempotencyLog {
  readonly #directory: string;
  /** The newest request of each key that is at work here. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #maximumWaiting: number;
  #waiting = 0;

  private constructor(directory: string, maximumWaiting: number) {
    this.#directory = directory;
    this.#maximumWaiting = maximumWaiting;
  }

  /**
   * Makes the directory where there is none. One process of a host at a time keeps a log.
   * @param maximumWaiting requests, of all keys together, that wait for another one with their key
   * @throws idempotency-log-unusable
   */
  static async open(path: string, maximumWaiting: number): Promise<IdempotencyLog> {
    let directory = resolve(path);
    try {
      await mkdir(directory, { recursive: true });
      directory = await realpath(directory);
      if (await isKept(directory)) throw new Error('another server that keeps it');
      for (const name of await readdir(directory)) if (name.endsWith(partial)) await rm(join(directory, name));
      await syncDirectory(directory);
      return new IdempotencyLog(directory, maximumWaiting);
    } catch (cause) {
      throw new NightstillError(
        'idempotency-log-unusable',
        `${directory}: expected a directory of this server's own, found: ${reasonOf(cause)}`,
        { cause },
      );
    }
  }

  /** Requests that wait for another one with their key. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * The recorded reply of the key, or else the one that `compute` makes, once it is durable. Requests with the same key take
   * turns, so a second one at the same time finds what the first has recorded.
   * @throws ApiError 422 when the key was used for another request or with another model, 429 when too many wait for their turn;
   * what `compute` throws is not recorded
   */
  once(
    request: KeyedRequest,
    compute: () => Promise<RecordedReply>,
  ): Promise<{ readonly reply: RecordedReply; readonly isReplay: boolean }> {
    const name = sha256(request.key);
    const before = this.#turns.get(name);
    if (before !== undefined && this.#waiting >= this.#maximumWaiting) return Promise.reject(tooManyWait());
    this.#waiting += 1;
    const mine = (before ?? Promise.resolve())
      .catch(() => undefined)
      .then(async () => {
        this.#waiting -= 1;
        const recorded = await this.#read(name, request);
        if (recorded !== undefined) return { reply: recorded, isReplay: true };
        const reply = await compute();
        await this.#write(name, request, reply);
        return { reply, isReplay: false };
      });
    this.#turns.set(name, mine);
    const forget = (): void => {
      if (this.#turns.get(name) === mine) this.#turns.delete(name);
    };
    mine.then(forget, forget);
    return mine;
  }

  async #read(name: string, { key, digest, modelDigest }: KeyedRequest): Promise<RecordedReply | undefined> {
    const path = join(this.#directory, name);
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes === undefined) return undefined;
    const end = bytes.indexOf('\n');
    const head = headSchema.safeParse(parseJson(bytes.subarray(0, Math.max(0, end)).toString()));
    const body = bytes.subarray(end + 1);
    if (!head.success || head.data.key !== key || head.data.bodyDigest !== sha256(body))
      throw new NightstillError('record-invalid', `${path}: expected a recorded reply, found other bytes`);
    if (head.data.requestDigest !== digest) throw otherThan('idempotency_key_reused', 'request');
    if (head.data.modelDigest !== modelDigest) throw otherThan('idempotency_model_changed', 'model');
    return { contentType: head.data.contentType, body };
  }

  async #write(name: string, request: KeyedRequest, { contentType, body }: RecordedReply): Promise<void> {
    const { key, digest: requestDigest, modelDigest } = request;
    const head = { version: 1, key, requestDigest, modelDigest, contentType, bodyDigest: sha256(body) };
    const recorded = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
    await writeAtomically(join(this.#directory, name), (file) => file.writeFile(recorded));
  }
}

const otherThan = (code: string, what: string): ApiError =>
  new ApiError({
    status: 422,
    code,
    message: `Idempotency-Key: expected the ${what} that it was first used for, found another one. Use a new key.`,
  });

const tooManyWait = (): ApiError =>
  new ApiError({
    status: 429,
    code: 'queue_full',
    message:
      'Idempotency-Key: expected a place among those that wait for another request with their key, found none. Ask again.',
    headers: { 'retry-after': '1' },
  });

/** Takes it for this process, where the system can tell. */
const isKept = async (directory: string): Promise<boolean> =>
  process.platform === 'linux' &&
  (await holdSocket(`nightstill-replies-${sha256(directory).slice(0, 32)}`)) === undefined;

function parseJson(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch {
    return undefined;
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
