/**
 * Abort signals in the codes of the port: whatever a library throws for them, callers see `operation-aborted`.
 */
import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import { NightstillError } from '../config/errors.js';

/** Where it happened, as far as it is known. */
interface Place {
  readonly store?: string;
  readonly operation?: string;
  readonly key?: string;
}

/** @throws operation-aborted */
export function refuseAborted(signal: AbortSignal | undefined, place: Place = {}): void {
  if (signal?.aborted === true) throw abortedError(signal, place);
}

/** One signal for many operations at once is how callers use it; Node would warn of a leak from the eleventh on. */
export function allowManyListeners(signal: AbortSignal | undefined): void {
  if (signal !== undefined) setMaxListeners(0, signal);
}

/** Ends a stream with `operation-aborted` as soon as the signal fires. */
export function destroyOnAbort(stream: Readable, signal: AbortSignal | undefined, place: Place): void {
  if (signal === undefined) return;
  allowManyListeners(signal);
  stream.on('error', () => undefined); // Who has not begun to read yet meets the error when it does.
  const abort = (): void => void stream.destroy(abortedError(signal, place));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', abort));
}

const abortedError = (signal: AbortSignal, place: Place): NightstillError =>
  new NightstillError('operation-aborted', 'The caller aborted the operation', {
    cause: signal.reason,
    details: { ...place },
  });
