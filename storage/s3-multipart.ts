/**
 * Large objects in parts. Nothing is visible before the completion, which carries the condition, so a writer that dies
 * half way leaves nothing but an unfinished upload, which `abortStaleUploads` frees. In memory are the parts on their way
 * and the one being filled, whatever the size of the object.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import type { NightstillError } from '../config/errors.js';
import { bodyBytes, bodyChunks } from './body.js';
import type { ObjectBody } from './object-store.js';
import { s3NameOf } from './s3-errors.js';
import type { S3Answer, S3Request, S3Requests } from './s3-requests.js';

const smallestPartBytes = 16 * 1024 * 1024;
const mostParts = 10_000;
const partsInFlight = 4;

export interface S3Target {
  readonly Bucket: string;
  readonly Key: string;
}

export interface S3Condition {
  readonly IfNoneMatch?: '*';
  readonly IfMatch?: string;
}

export interface MultipartUpload {
  readonly requests: S3Requests;
  readonly request: S3Request;
  readonly target: S3Target;
  readonly body: ObjectBody;
  readonly condition: S3Condition;
}

type Upload = S3Target & { readonly UploadId: string };

/** @throws what the store answers; see also `isUploadGone` */
export async function uploadInParts(multipart: MultipartUpload): Promise<S3Answer<{ ETag?: string | undefined }>> {
  const { requests, request, target, body, condition } = multipart;
  const { output } = await requests.send(
    request,
    () => new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'CRC32' }),
  );
  const { UploadId } = output;
  if (UploadId === undefined || UploadId === '')
    throw requests.translate(new Error('no upload id in the answer'), request);
  const upload = { ...target, UploadId };
  try {
    const Parts = await sendParts(requests, request, upload, body);
    return await requests.send(
      request,
      () => new CompleteMultipartUploadCommand({ ...upload, ...condition, MultipartUpload: { Parts } }),
    );
  } catch (error) {
    // The caller's signal may have fired already; freeing the parts must not depend on it.
    const { operation, key } = request;
    const abort = { operation, ...(key === undefined ? {} : { key }) };
    await requests.send(abort, () => new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

/**
 * Did this write end because its upload is no more? Then the completion was applied and its answer lost, or somebody freed
 * the parts. Writing anew tells: the condition is checked again.
 */
export const isUploadGone = (error: unknown): boolean =>
  error instanceof Error && s3NameOf(error.cause) === 'NoSuchUpload';

async function sendParts(
  requests: S3Requests,
  request: S3Request,
  upload: Upload,
  body: ObjectBody,
): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  const inFlight = new Set<Promise<void>>();
  const spare: Buffer[] = [];
  const stop = new AbortController();
  const signal = request.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, request.signal]);
  // The checksum guards the part; hashing it a second time for the signature would only cost time.
  const partRequest = { ...request, signal, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } };
  let failure: NightstillError | undefined;
  const send = async (PartNumber: number, Body: Uint8Array): Promise<void> => {
    try {
      const { output } = await requests.send(
        partRequest,
        () => new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32' }),
      );
      parts[PartNumber - 1] = { PartNumber, ETag: output.ETag, ChecksumCRC32: output.ChecksumCRC32 };
      if (Buffer.isBuffer(Body) && !(body instanceof Uint8Array)) spare.push(Body);
    } catch (error) {
      failure ??= requests.translate(error, request);
      stop.abort();
    }
  };
  try {
    let number = 0;
    for await (const part of partsOf(body, signal, spare)) {
      const sending = send(++number, part).finally(() => inFlight.delete(sending));
      inFlight.add(sending);
      if (inFlight.size >= partsInFlight) await Promise.race(inFlight);
    }
  } catch (error) {
    failure ??= requests.translate(error, request);
    stop.abort();
  }
  await Promise.all(inFlight);
  if (failure !== undefined) throw failure;
  return parts;
}

/**
 * The parts of a body. Of bytes in memory they are views; a source is gathered into buffers, of which `spare` holds those
 * that may be filled again: memory that is freed and taken anew would pile up faster than the collector looks.
 */
async function* partsOf(body: ObjectBody, signal: AbortSignal, spare: Buffer[]): AsyncGenerator<Uint8Array, void> {
  const partBytes = Math.max(smallestPartBytes, Math.ceil(bodyBytes(body) / mostParts));
  if (body instanceof Uint8Array) {
    for (let start = 0; start < body.byteLength; start += partBytes) yield body.subarray(start, start + partBytes);
    return;
  }
  let part: Buffer = Buffer.allocUnsafeSlow(partBytes);
  let filled = 0;
  for await (const chunk of bodyChunks(body, signal)) {
    for (let start = 0; start < chunk.byteLength;) {
      const taken = Math.min(chunk.byteLength - start, partBytes - filled);
      part.set(chunk.subarray(start, start + taken), filled);
      start += taken;
      filled += taken;
      if (filled < partBytes) continue;
      yield part;
      part = spare.pop() ?? Buffer.allocUnsafeSlow(partBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}

/**
 * Frees the parts of uploads below a prefix that were begun long ago and never completed.
 * @param isOurs by the whole name in the bucket, in which others may write as well
 * @returns how many
 */
export async function abortStaleUploads(
  requests: S3Requests,
  { Bucket, Prefix }: { readonly Bucket: string; readonly Prefix: string },
  olderThanMs: number,
  isOurs: (name: string) => boolean,
): Promise<number> {
  let aborted = 0;
  let page: { readonly KeyMarker?: string | undefined; readonly UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const { output, answeredAtMs } = await requests.send(
      { operation: 'sweepUnfinished' },
      () => new ListMultipartUploadsCommand({ Bucket, Prefix, ...page }),
    );
    for (const { Key, UploadId, Initiated } of output.Uploads ?? []) {
      if (Key === undefined || !Key.startsWith(Prefix) || !isOurs(Key)) continue;
      if (Initiated === undefined || !(answeredAtMs - Initiated.getTime() >= olderThanMs)) continue;
      const request = { operation: 'sweepUnfinished', key: Key };
      try {
        await requests.send(request, () => new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
        aborted++;
      } catch (error) {
        if (!isUploadGone(error)) throw error; // Its writer or another sweep was faster.
      }
    }
    if (output.IsTruncated !== true) return aborted;
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = output;
    if (KeyMarker === undefined || (KeyMarker === page.KeyMarker && UploadIdMarker === page.UploadIdMarker)) {
      const problem = new Error('expected a page with another marker than the one before, found none');
      throw requests.translate(problem, { operation: 'sweepUnfinished' });
    }
    page = { KeyMarker, UploadIdMarker };
  }
}
