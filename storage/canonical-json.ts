/**
 * One text for one value: keys sorted by UTF-16 code units, no spaces, numbers as JavaScript prints them (RFC 8785 for the
 * values we use). Digests of records, stage keys and artifacts are digests of this text.
 */
import { NightstillError } from '../config/errors.js';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  /** Undefined members are left out, as JSON.stringify does. */
  readonly [key: string]: Json | undefined;
}

/** @throws record-invalid for what JSON cannot say: NaN, infinities, functions. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))) return JSON.stringify(value);
  if (isJsonArray(value)) return `[${Array.from(value, canonicalJson).join(',')}]`;
  if (isJsonObject(value)) {
    const members = Object.keys(value)
      .sort()
      .flatMap((key) => {
        const member = value[key];
        return member === undefined ? [] : [`${JSON.stringify(key)}:${canonicalJson(member)}`];
      });
    return `{${members.join(',')}}`;
  }
  throw new NightstillError(
    'record-invalid',
    `expected a JSON value, found ${typeof value} ${String(value).slice(0, 40)}`,
  );
}

export const isJsonArray = (value: Json): value is readonly Json[] => Array.isArray(value);

export const isJsonObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws record-invalid */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new NightstillError('record-invalid', `expected JSON, found ${describeText(text)}`, { cause });
  }
}

const describeText = (text: string): string =>
  text === '' ? 'nothing' : `${text.length} characters beginning ${JSON.stringify(text.slice(0, 40))}`;
