/** JSON files of model directories: what cannot be parsed is an error that names the file and the field. */
import type { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import type { FailureCode } from '../../config/failures.js';

/** More would be no file of a model, and too much for whoever goes through it by recursion. */
const maximumDepth = 64;

/** @throws `otherwise` when it is no JSON, or nests deeper than any such file */
export function parseJsonFile(text: string, source: string, otherwise: FailureCode = 'model-config-invalid'): unknown {
  const parsed = parse(text, source, otherwise);
  if (isDeeper(parsed, maximumDepth))
    throw new NightstillError(otherwise, `${source}: expected nesting of at most ${maximumDepth} levels, found more.`);
  return parsed;
}

function parse(text: string, source: string, otherwise: FailureCode): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch (cause) {
    throw new NightstillError(otherwise, `${source}: expected JSON, found something else.`, { cause });
  }
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)));

/** What of a parsed file is not as it must be: its first fault, with the field. */
export function firstFault({ issues: [issue] }: z.ZodError): string {
  const field = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return `${field}${issue?.message ?? 'not as expected'}`;
}

export const invalidField = (source: string, error: z.ZodError): NightstillError =>
  new NightstillError('model-config-invalid', `${source}: ${firstFault(error)}.`);
