/** Errors of nightstill carry a code and say whose fault they are: enough for an answer in HTTP. */

export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const statuses: Readonly<Record<string, number>> = {
  'run-missing': 404,
  'run-conflict': 409,
  'temporal-unavailable': 503,
};

export function asHttpError(error: unknown): { readonly status: number; readonly body: object } {
  if (error instanceof HttpError) return { status: error.status, body: { message: error.message } };
  if (error instanceof SyntaxError) return { status: 400, body: { message: 'expected JSON' } };
  const { code, fault, message, remedy } = error as Partial<Record<'code' | 'fault' | 'message' | 'remedy', string>>;
  if (remedy === undefined) return { status: 500, body: { message: 'unexpected' } };
  return { status: statuses[code ?? ''] ?? (fault === 'user' ? 400 : 500), body: { code, message, remedy } };
}
