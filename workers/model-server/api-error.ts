/**
 * What a request is refused with, in the words of OpenAI's API: a status and a body that every client of that API knows. Types
 * and codes are those that OpenAI uses, where it has one.
 */
import { asNightstillError, hasCode } from '../../config/errors.js';
import type { FailureCode } from '../../config/failures.js';

export interface ApiErrorFields {
  readonly status: number;
  readonly code: string;
  /** What was expected, what was found, what to do. */
  readonly message: string;
  /** Name of the field that is at fault. */
  readonly param?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'server_error',
  504: 'server_error',
};

export class ApiError extends Error {
  constructor(readonly fields: ApiErrorFields) {
    super(fields.message);
    this.name = 'ApiError';
  }

  get body(): string {
    const { status, code, message, param = null } = this.fields;
    return JSON.stringify({ error: { message, type: types[status] ?? 'invalid_request_error', param, code } });
  }
}

export const badRequest = (code: string, message: string, param?: string): ApiError =>
  new ApiError({ status: 400, code, message, ...(param !== undefined && { param }) });

/** What the engine says of a request that is at fault. */
const faultsOfRequests: Partial<Record<FailureCode, string>> = {
  'sequence-too-long': 'context_length_exceeded',
  'inference-setting-invalid': 'invalid_value',
  'chat-template-invalid': 'invalid_messages',
};

/** Any thrown value as an answer. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const error = asNightstillError(thrown);
  const code = hasCode(error) ? faultsOfRequests[error.code] : undefined;
  if (code !== undefined) return badRequest(code, error.message);
  return new ApiError({ status: 500, code: error.code, message: `${error.message} ${error.remedy}` });
}
