/**
 * What S3 servers answer, in the codes of the port, and which answers are worth another try. One table for AWS, MinIO,
 * Ceph and versitygw, whose names differ where S3 has none.
 */
import { hasCode, NightstillError } from '../config/errors.js';
import type { FailureCode } from '../config/failures.js';

export interface S3Operation {
  readonly store: string;
  readonly operation: string;
  readonly key?: string;
}

const codesByName: Readonly<Record<string, FailureCode>> = {
  NoSuchBucket: 'store-missing',
  NoSuchKey: 'object-missing',
  NotFound: 'object-missing',
  InvalidRange: 'object-range-invalid',
  AccessDenied: 'store-access-denied',
  InvalidAccessKeyId: 'store-access-denied',
  SignatureDoesNotMatch: 'store-access-denied',
  ExpiredToken: 'store-access-denied',
  InvalidToken: 'store-access-denied',
  XAdminUserNotFound: 'store-access-denied',
  AccountProblem: 'store-access-denied',
  AllAccessDisabled: 'store-access-denied',
  CredentialsProviderError: 'store-access-denied',
  QuotaExceeded: 'store-full',
  InsufficientStorage: 'store-full',
  XMinioStorageFull: 'store-full',
  XMinioAdminBucketQuotaExceeded: 'store-full',
  PermanentRedirect: 'store-url-invalid',
  AuthorizationHeaderMalformed: 'store-url-invalid',
  InvalidBucketName: 'store-url-invalid',
  ObjectParentIsFile: 'object-key-invalid',
  ExistingObjectIsDirectory: 'object-key-invalid',
  XMinioParentIsObject: 'object-key-invalid',
  XMinioObjectExistsAsDirectory: 'object-key-invalid',
  KeyTooLongError: 'object-key-invalid',
  XAmzContentSHA256Mismatch: 'object-body-invalid',
};

/** What the SDK says, without a name, when neither the URL nor its own configuration names a region. */
const regionMissing = 'Region is missing';

/** For answers without a body (HEAD) and names not in the table. */
const codesByStatus: Readonly<Record<number, FailureCode>> = {
  301: 'store-url-invalid',
  401: 'store-access-denied',
  403: 'store-access-denied',
  416: 'object-range-invalid',
  507: 'store-full',
};

/** Answers below 500 that a repetition may mend: races inside the server, bodies damaged on the way, throttling, clocks. */
const retryableNames = new Set([
  'ConditionalRequestConflict',
  'OperationAborted',
  'SlowDown',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'IncompleteBody',
  'TimeoutError',
]);

/** May the same request succeed when it is sent again? An answer of 2xx that cannot be read was damaged on the way. */
export function isRetryable(error: unknown): boolean {
  const { name, status, errno } = factsOf(error);
  if (retryableNames.has(name)) return true;
  if (status === undefined) return errno !== undefined && /^E(?!RR_)[A-Z_]+$/.test(errno);
  return (
    (status >= 200 && status < 300) ||
    status === 408 ||
    status === 429 ||
    (status >= 500 && ![501, 507].includes(status))
  );
}

/** Any error of an operation as one of ours; one that is ours already passes unchanged. */
export function s3Error(error: unknown, { store, operation, key }: S3Operation, attempts = 1): NightstillError {
  if (hasCode(error)) return error;
  const { name, status, errno, requestId, message } = factsOf(error);
  if (message === regionMissing) return withoutRegion(error, { store, operation });
  const code = codeOf(operation, name, status);
  const place = key === undefined ? store : `${key} in ${store}`;
  const answer = status === undefined ? (errno ?? name) : `${status} ${name}`;
  const tries = attempts === 1 ? '' : ` after ${attempts} attempts`;
  return new NightstillError(code, `${operation} of ${place}: ${answer}${tries}: ${message}`, {
    cause: error,
    details: { store, key: key ?? null, operation, requestId: requestId ?? null, httpStatus: status ?? null, attempts },
  });
}

const withoutRegion = (cause: unknown, details: { readonly store: string; readonly operation: string }) =>
  new NightstillError(
    'store-url-invalid',
    `${details.store}: expected a region (region=… in the URL, or AWS_REGION), found none`,
    { cause, details },
  );

/** What a refused condition means depends on what was asked; If-Match on a key that holds nothing is answered with 404. */
function codeOf(operation: string, name: string, status: number | undefined): FailureCode {
  const code = codesByName[name] ?? codesByStatus[status ?? 0];
  if (operation === 'putIfAbsent' && status === 412) return 'object-exists';
  if (operation === 'putIfMatch' && (status === 412 || code === 'object-missing')) return 'object-changed';
  return code ?? 'store-unavailable';
}

interface Facts {
  readonly name: string;
  readonly message: string;
  readonly status?: number;
  readonly errno?: string;
  readonly requestId?: string;
}

/** The name that S3 gave, else that of the error. */
export const s3NameOf = (error: unknown): string => factsOf(error).name;

function factsOf(error: unknown): Facts {
  const metadata = property(error, '$metadata');
  const status = property(metadata, 'httpStatusCode');
  const requestId = property(metadata, 'requestId');
  const errno = property(error, 'code');
  return {
    name: textOf(property(error, 'name')) ?? 'Error',
    message: textOf(property(error, 'message')) ?? String(error),
    ...(typeof status === 'number' ? { status } : {}),
    ...(typeof errno === 'string' ? { errno } : {}),
    ...(typeof requestId === 'string' ? { requestId } : {}),
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** A property of a value of another library, if it has it. */
export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined;
}
