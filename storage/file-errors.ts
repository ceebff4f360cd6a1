/**
 * What the file system says, in the codes of the port. Everything that is not known to be somebody's mistake is
 * `store-unavailable`: worth another try.
 */
import { hasCode, NightstillError } from '../config/errors.js';
import type { FailureCode } from '../config/failures.js';

const codes: Readonly<Record<string, FailureCode>> = {
  ENOSPC: 'store-full',
  EDQUOT: 'store-full',
  EACCES: 'store-access-denied',
  EPERM: 'store-access-denied',
  EROFS: 'store-access-denied',
  EIO: 'store-unavailable',
};

export interface FileOperation {
  readonly store: string;
  readonly operation: string;
  readonly key?: string;
}

/** Any error of an operation as one of ours; one that is ours already learns where it happened. */
export function fileError(error: unknown, { store, operation, key }: FileOperation): NightstillError {
  if (hasCode(error)) {
    if (error.details['store'] !== undefined) return error;
    const details = { store, key: key ?? null, operation, ...error.details };
    return new NightstillError(error.code, error.message, { cause: error.cause, details });
  }
  const errno = errnoOf(error) ?? 'no error number';
  const message = `${operation} of ${key === undefined ? store : `${key} in ${store}`}: the file system answered ${errno}`;
  return new NightstillError(codes[errno] ?? 'store-unavailable', message, {
    cause: error,
    details: { store, key: key ?? null, operation, errno },
  });
}

/** `ENOENT` and the like; undefined when it is no error of the operating system. */
export function errnoOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** The result, or undefined when the operating system answers with one of these. */
export async function unlessErrno<Result>(promise: Promise<Result>, ...errnos: string[]): Promise<Result | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (errnos.includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** True when it was done, false when the operating system answers with one of these. */
export async function doneUnless(promise: Promise<void>, ...errnos: string[]): Promise<boolean> {
  return (
    (await unlessErrno(
      promise.then(() => true),
      ...errnos,
    )) === true
  );
}
