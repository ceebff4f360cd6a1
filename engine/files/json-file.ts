/** JSON files of model directories: what cannot be parsed is an error that names the file and the field. */
import type { z } from 'zod';
import { NightstillError } from '../../config/errors.js';

/** @throws model-config-invalid */
export function parseJsonFile(text: string, source: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch (cause) {
    throw new NightstillError('model-config-invalid', `${source}: expected JSON, found something else.`, { cause });
  }
}

/** What of a parsed file is not as it must be: its first fault, with the field. */
export function firstFault({ issues: [issue] }: z.ZodError): string {
  const field = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return `${field}${issue?.message ?? 'not as expected'}`;
}

export const invalidField = (source: string, error: z.ZodError): NightstillError =>
  new NightstillError('model-config-invalid', `${source}: ${firstFault(error)}.`);
