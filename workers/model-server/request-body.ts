/** The body of a request: JSON of a limited size, with its bytes as they came. */
import type { IncomingMessage } from 'node:http';
import { ApiError, badRequest } from './api-error.js';

export interface RequestBody {
  readonly bytes: Buffer;
  readonly json: unknown;
}

/** @throws ApiError 413, 415, 400 when it is no JSON */
export async function readBody(request: IncomingMessage, maximumBytes: number): Promise<RequestBody> {
  // Scripts of other web pages cannot send this type without a preflight request, and this server answers none.
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new ApiError({
      status: 415,
      code: 'unsupported_media_type',
      message: `Expected Content-Type: application/json, found ${request.headers['content-type'] ?? 'none'}.`,
    });
  const tooLarge = new ApiError({
    status: 413,
    code: 'request_too_large',
    message: `Expected a body of at most ${maximumBytes} bytes, the limit of this server. Send less at a time.`,
  });
  if (Number(request.headers['content-length'] ?? 0) > maximumBytes) throw tooLarge;
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    pieces.push(piece);
    if ((size += piece.length) > maximumBytes) break;
  }
  if (size > maximumBytes) {
    // The rest of the body is read and dropped: on a connection that is closed early the client may not see the reply.
    request.resume();
    throw tooLarge;
  }
  const bytes = Buffer.concat(pieces);
  return { bytes, json: parse(bytes) };
}

function parse(bytes: Buffer): unknown {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return json;
  } catch {
    throw badRequest('invalid_json', 'Expected a body of JSON in UTF-8, found other bytes.');
  }
}
