/**
 * Bodies as adapters see them: chunks that add up to the announced length, or a coded error. The source of a body belongs
 * to the caller; when it fails, the store is not to blame and the error says so.
 */
import { NightstillError } from '../config/errors.js';
import { refuseAborted } from './abort.js';
import type { ObjectBody } from './object-store.js';

export const bodyBytes = (body: ObjectBody): number => (body instanceof Uint8Array ? body.byteLength : body.bytes);

/** @throws object-body-invalid when the source fails or has not the announced length, operation-aborted */
export async function* bodyChunks(body: ObjectBody, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  refuseAborted(signal);
  if (body instanceof Uint8Array) {
    yield body;
    return;
  }
  let seen = 0;
  for await (const chunk of sourceChunks(body.open)) {
    refuseAborted(signal);
    seen += chunk.byteLength;
    if (seen > body.bytes) throw lengthMismatch(body.bytes, `at least ${seen}`);
    yield chunk;
  }
  if (seen < body.bytes) throw lengthMismatch(body.bytes, String(seen));
}

/** The body in one piece. @throws as `bodyChunks` */
export async function wholeBody(body: ObjectBody, signal?: AbortSignal): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const whole = Buffer.allocUnsafeSlow(body.bytes);
  let filled = 0;
  for await (const chunk of bodyChunks(body, signal)) {
    whole.set(chunk, filled);
    filled += chunk.byteLength;
  }
  return whole;
}

async function* sourceChunks(open: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const iterator = open()[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await iterator.next().catch((cause: unknown) => {
        ended = true;
        throw new NightstillError('object-body-invalid', 'Expected the body to be readable, its source failed', {
          cause,
        });
      });
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (!ended) await iterator.return?.();
  }
}

const lengthMismatch = (announced: number, found: string): NightstillError =>
  new NightstillError('object-body-invalid', `Expected a body of ${announced} bytes, found ${found}`);
