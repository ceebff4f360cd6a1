/**
 * The object store in a bucket: AWS S3 and servers that speak like it. Conditions are those of S3 (If-None-Match, If-Match),
 * also on the completion of a large object; the version is the ETag, which the same content gives again. What a lost answer
 * means is told in `s3-requests.ts`.
 *
 * What guards the bytes: on the way in, the server checks SHA-256 of the body when the caller knows it, else CRC32. On the
 * way out, CRC32 of objects up to 1 MiB; readers of larger objects and of ranges verify the digest they know, as the
 * bytes arrive. Only the files s3*.ts import the AWS SDK.
 */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { hasCode, NightstillError } from '../config/errors.js';
import { bodyBytes, wholeBody } from './body.js';
import { validateRange } from './byte-range.js';
import { isValidKey, mayBeginKey, validateKey } from './keys.js';
import type * as port from './object-store.js';
import { readAnswer } from './s3-body.js';
import { abortStaleUploads, isUploadGone, uploadInParts, type S3Condition, type S3Target } from './s3-multipart.js';
import { S3Requests, type S3Answer, type S3Limits, type S3Request } from './s3-requests.js';
import type { S3Location } from './store-url.js';

const singlePutBytes = 32 * 1024 * 1024;
const checkedOnReadingBytes = 1024 * 1024;
/** A large write whose upload is gone begins anew at most this often. */
const uploadRounds = 3;

type Signal = { readonly signal?: AbortSignal };

export class S3Store implements port.ObjectStore {
  readonly url: string;
  readonly #requests: S3Requests;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(location: S3Location, limits: Partial<S3Limits> = {}) {
    this.#requests = new S3Requests(location, limits);
    this.url = this.#requests.store;
    this.#bucket = location.bucket;
    this.#prefix = location.prefix === '' ? '' : `${location.prefix}/`;
  }

  async get(
    key: port.ObjectKey,
    { range, signal, isVerified = false }: port.GetOptions = {},
  ): Promise<port.StoredObject> {
    validateKey(key);
    validateRange(key, range);
    const request: S3Request = { operation: 'get', key, signal };
    const part = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` };
    const check = range === undefined && !isVerified ? { ChecksumMode: 'ENABLED' as const } : {};
    const answer = await this.#requests.send(
      request,
      () => new GetObjectCommand({ ...this.#target(key), ...part, ...check }),
    );
    const {
      Body: source,
      ContentLength: length = Number.NaN,
      ContentRange: contentRange,
      ETag,
      LastModified,
    } = answer.output;
    if (!(source instanceof Readable)) throw this.#unreadable(request, answer.attempts);
    const total = range === undefined ? length : Number(contentRange?.split('/')[1]);
    try {
      // Without a length nobody could tell where the body was cut off.
      if (!Number.isSafeInteger(length)) throw this.#unreadable(request);
      const description = this.#description(request, total, ETag, LastModified?.getTime());
      const place = { store: this.url, operation: 'get', key };
      const translate = (error: unknown): NightstillError => this.#requests.translate(error, request);
      return { ...description, body: readAnswer({ source, bytes: length, signal, place, translate }) };
    } catch (error) {
      source.destroy();
      throw error;
    }
  }

  async describe(key: port.ObjectKey, { signal }: Signal = {}): Promise<port.ObjectDescription | undefined> {
    validateKey(key);
    const request: S3Request = { operation: 'describe', key, signal };
    try {
      const { output } = await this.#requests.send(request, () => new HeadObjectCommand(this.#target(key)));
      return this.#description(request, output.ContentLength, output.ETag, output.LastModified?.getTime());
    } catch (error) {
      if (hasCode(error, 'object-missing')) return undefined;
      throw error;
    }
  }

  async put(key: port.ObjectKey, body: port.ObjectBody, options?: port.PutOptions): Promise<port.ObjectDescription> {
    return this.#write('put', key, body, {}, options);
  }

  async putIfAbsent(
    key: port.ObjectKey,
    body: port.ObjectBody,
    options?: port.PutOptions,
  ): Promise<port.ObjectDescription> {
    return this.#write('putIfAbsent', key, body, { IfNoneMatch: '*' }, options);
  }

  async putIfMatch(
    key: port.ObjectKey,
    body: port.ObjectBody,
    version: string,
    options?: port.PutOptions,
  ): Promise<port.ObjectDescription> {
    return this.#write('putIfMatch', key, body, { IfMatch: version }, options);
  }

  async *list(
    prefix: string,
    { signal, onPassedOver }: port.ListOptions = {},
  ): AsyncGenerator<port.ObjectDescription, void> {
    if (!mayBeginKey(prefix)) return;
    const request: S3Request = { operation: 'list', key: prefix, signal };
    let last = '';
    for (let token: string | undefined, more = true; more;) {
      const { output } = await this.#requests.send(
        request,
        () =>
          new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: this.#prefix + prefix, ContinuationToken: token }),
      );
      for (const { Key = '', Size, ETag, LastModified } of output.Contents ?? []) {
        const key = Key.slice(this.#prefix.length);
        // A listing that was damaged on the way may still be XML.
        if (!Key.startsWith(this.#prefix + prefix)) throw this.#unreadable(request);
        // Keys that people put there by other means, and that could not be ours, are passed over.
        if (!isValidKey(key)) {
          onPassedOver?.(key);
          continue;
        }
        if (key <= last) throw this.#unreadable(request);
        last = key;
        yield this.#description({ ...request, key }, Size, ETag, LastModified?.getTime());
      }
      token = output.NextContinuationToken;
      more = output.IsTruncated === true;
      if (more && token === undefined) throw this.#unreadable(request);
    }
  }

  async remove(key: port.ObjectKey, { signal }: Signal = {}): Promise<void> {
    validateKey(key);
    try {
      await this.#requests.send({ operation: 'remove', key, signal }, () => new DeleteObjectCommand(this.#target(key)));
    } catch (error) {
      if (!hasCode(error, 'object-missing')) throw error;
    }
  }

  async sweepUnfinished(olderThanMs: number, isOurs: (key: port.ObjectKey) => boolean = isValidKey): Promise<number> {
    const place = { Bucket: this.#bucket, Prefix: this.#prefix };
    return abortStaleUploads(this.#requests, place, olderThanMs, (name) => isOurs(name.slice(this.#prefix.length)));
  }

  async close(): Promise<void> {
    this.#requests.close();
  }

  async #write(
    operation: string,
    key: port.ObjectKey,
    body: port.ObjectBody,
    condition: S3Condition,
    { signal, sha256 }: port.PutOptions = {},
  ): Promise<port.ObjectDescription> {
    validateKey(key);
    const request: S3Request = { operation, key, signal };
    const { IfMatch: version } = condition;
    // `*` would match any version, and what is no ETag can match none.
    if (version !== undefined && !/^"[\x21\x23-\x7e]+"$/.test(version)) throw this.#changed(request);
    const bytes = bodyBytes(body);
    const { output, answeredAtMs } =
      bytes > singlePutBytes
        ? await this.#putInParts(request, body, condition)
        : await this.#putAtOnce(request, await wholeBody(body, signal), condition, sha256);
    return this.#description(request, bytes, output.ETag, answeredAtMs);
  }

  #putAtOnce(
    request: S3Request,
    Body: Uint8Array,
    condition: S3Condition,
    sha256: string | undefined,
  ): Promise<S3Answer<{ ETag?: string | undefined }>> {
    const small = Body.byteLength <= checkedOnReadingBytes;
    const checksum = small || sha256 === undefined ? { ChecksumAlgorithm: 'CRC32' as const } : {};
    const payload = sha256 ?? (small ? undefined : 'UNSIGNED-PAYLOAD');
    const headers = payload === undefined ? {} : { 'x-amz-content-sha256': payload };
    return this.#requests.send(
      { ...request, headers },
      () => new PutObjectCommand({ ...this.#target(request.key ?? ''), ...condition, ...checksum, Body }),
    );
  }

  async #putInParts(
    request: S3Request,
    body: port.ObjectBody,
    condition: S3Condition,
  ): Promise<S3Answer<{ ETag?: string | undefined }>> {
    for (let round = 1; ; round++) {
      try {
        const target = this.#target(request.key ?? '');
        return await uploadInParts({ requests: this.#requests, request, target, body, condition });
      } catch (error) {
        if (round === uploadRounds || !isUploadGone(error)) throw error;
      }
    }
  }

  #target(key: port.ObjectKey): S3Target {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  #description(
    request: S3Request,
    bytes: number | undefined,
    version: string | undefined,
    modifiedAtMs: number | undefined,
  ): port.ObjectDescription {
    if (
      bytes === undefined ||
      !Number.isSafeInteger(bytes) ||
      version === undefined ||
      !Number.isFinite(modifiedAtMs)
    ) {
      throw this.#unreadable(request);
    }
    return { key: request.key ?? '', bytes, version, modifiedAtMs: modifiedAtMs ?? 0 };
  }

  #unreadable(request: S3Request, attempts?: number): NightstillError {
    const problem = new Error('expected an answer of S3 with length, ETag and time, in order; found another');
    return this.#requests.translate(problem, request, attempts);
  }

  #changed({ operation, key = '' }: S3Request): NightstillError {
    return new NightstillError('object-changed', `${key}: expected a version that this store gave`, {
      details: { store: this.url, key, operation },
    });
  }
}
