/**
 * The base error: everything this project throws on purpose is a NightstillError with a code of `failures.ts`.
 * It promises that fault, retryability and remedy can be read without knowing who threw it. Code tests `error.code`, never
 * `instanceof`: errors cross worker threads, child processes and Temporal.
 */
import { failures, type Failure, type FailureCode } from './failures.js';

export interface ErrorDetails {
  readonly cause?: unknown;
  /** Facts for machines (store, key, operation, request id, step …). JSON values only, no secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

export class NightstillError extends Error {
  readonly code: FailureCode;
  readonly fault: Failure['fault'];
  readonly retryable: boolean;
  readonly remedy: string;
  readonly details: NonNullable<ErrorDetails['details']>;

  /** @param message what was expected and what was found; the remedy comes from the table. */
  constructor(code: FailureCode, message: string, { cause, details }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'NightstillError';
    this.code = code;
    const { fault, retryable, remedy } = failures[code];
    this.fault = fault;
    this.retryable = retryable;
    this.remedy = remedy;
    this.details = details ?? {};
  }
}

/** Is it one of ours, with this code (any code when none is given)? Works across realms. */
export function hasCode<Code extends FailureCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is NightstillError & { readonly code: Code } {
  if (typeof error !== 'object' || error === null || !('code' in error) || !('remedy' in error)) return false;
  return codes.length === 0 || (codes as readonly unknown[]).includes(error.code);
}

/** Any thrown value as one of ours: what is not is `unexpected`, with the original as its cause. */
export function asNightstillError(error: unknown): NightstillError {
  if (hasCode(error)) return error;
  const message =
    error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)
      ? String(error.message)
      : String(error);
  return new NightstillError('unexpected', message, { cause: error });
}

/** Is it what `parseArgs` of node:util throws for unknown flags and missing values? */
export const isUsageError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
