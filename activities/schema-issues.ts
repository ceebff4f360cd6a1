/** What zod finds wrong with a part of a plan, in the words of this project. */
import { z } from 'zod';
import { nearest } from '../config/nearest.js';
import { describe, joinPath, type PlanIssue } from './plan-issues.js';

type Schema = z.core.$ZodType;
type SchemaIssue = z.core.$ZodIssue;

export type Checked<Output> = { readonly value: Output; readonly issues?: never } | { readonly issues: PlanIssue[] };

/** Keys that an object does not know are refused, also where the author of a stage forgot to say so. */
export function check<Output>(schema: z.ZodType<Output>, value: unknown, path: string): Checked<Output> {
  const strict = schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema;
  const parsed = strict.safeParse(value, { reportInput: true });
  if (parsed.success) return { value: parsed.data as Output };
  return { issues: parsed.error.issues.flatMap((issue) => told(issue, schema, path, value)) };
}

/** @param value what the schema was held against: where options do not go together, the issue has only the object that they are in */
function told(issue: SchemaIssue, schema: Schema | undefined, base: string, value: unknown): PlanIssue[] {
  const path = joinPath(base, ...issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(schemaAt(schema, issue.path));
    return issue.keys.map((key) => unknownKey(joinPath(path, key), key, known));
  }
  if (issue.code === 'invalid_union') {
    const meant = meantBy(issue.errors.filter((issues) => !issues.some(isOfOtherType)));
    if (meant)
      return meant.flatMap((inner) => told(inner, schemaAt(schema, issue.path), path, valueAt(value, issue.path)));
  }
  const found = issue.input instanceof Object ? valueAt(value, issue.path) : issue.input;
  return [{ path, expected: expectation(issue, schemaAt(schema, issue.path)), found: describe(found) }];
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (at instanceof Object ? Reflect.get(at, key) : undefined), value);

const unknownKey = (path: string, key: string, known: readonly string[]): PlanIssue => {
  const near = nearest(key, known);
  return {
    path,
    expected: near ? `a known key${near}` : `one of the keys ${known.join(', ')}`,
    found: 'one that is not known here',
  };
};

const isOfOtherType = ({ code, path }: SchemaIssue): boolean =>
  path.length === 0 && (code === 'invalid_type' || code === 'invalid_value' || code === 'invalid_union');

/** Of alternatives of the right type, the one that knows most of the keys, and among several of these the one that finds least else wrong. */
function meantBy(alternatives: readonly SchemaIssue[][]): SchemaIssue[] | undefined {
  const [first, second] = alternatives.toSorted(
    (one, other) => strangeKeys(one) - strangeKeys(other) || one.length - other.length,
  );
  if (first === undefined || second === undefined) return first;
  const isAsNear = strangeKeys(second) === strangeKeys(first) && second.length === first.length;
  return isAsNear ? undefined : first;
}

const strangeKeys = (issues: readonly SchemaIssue[]): number =>
  issues.reduce(
    (sum, issue) => sum + (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys.length : 0),
    0,
  );

function expectation(issue: SchemaIssue, schema: Schema | undefined): string {
  if (!/^(Invalid|Too|Unrecognized)\b/.test(issue.message)) return issue.message;
  if (issue.code === 'too_small')
    return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${unitOf(issue.origin)}`;
  if (issue.code === 'too_big')
    return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${unitOf(issue.origin)}`;
  if (issue.code === 'invalid_value')
    return issue.values.length > 1
      ? `one of ${issue.values.join(', ')}${nearestValue(issue)}`
      : String(issue.values[0]);
  if (issue.code === 'invalid_type') return typeNames[issue.expected] ?? issue.expected;
  return schema ? nameOf(schema) : issue.message;
}

const nearestValue = ({ input, values }: Extract<SchemaIssue, { code: 'invalid_value' }>): string =>
  typeof input === 'string' ? nearest(input, values.map(String)) : '';

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

const unitOf = (origin: string): string => (origin === 'array' ? ' entries' : origin === 'string' ? ' characters' : '');

/** A schema in words, for alternatives of which none was met. */
function nameOf(schema: Schema): string {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodUnion) return [...new Set(inner.options.map(nameOf))].join(' or ');
  if (inner instanceof z.ZodObject) return `an object with ${Object.keys(inner.shape).join(', ')}`;
  if (inner instanceof z.ZodEnum) return inner.options.join(' or ');
  if (inner instanceof z.ZodLiteral) return [...inner.values].join(' or ');
  return typeNames[inner._zod.def.type] ?? inner._zod.def.type;
}

function schemaAt(schema: Schema | undefined, path: readonly PropertyKey[]): Schema | undefined {
  const [key, ...rest] = path;
  if (schema === undefined || key === undefined) return schema;
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodObject) return schemaAt(inner.shape[String(key)] as Schema | undefined, rest);
  if (inner instanceof z.ZodArray) return schemaAt(inner.element, rest);
  if (inner instanceof z.ZodRecord) return schemaAt(inner.valueType, rest);
  if (inner instanceof z.ZodUnion)
    return inner.options.map((option) => schemaAt(option, path)).find((found) => found !== undefined);
  return undefined;
}

const keysOf = (schema: Schema | undefined): string[] => {
  if (schema === undefined) return [];
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => keysOf(option));
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
};

function unwrapped(schema: Schema): Schema {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return unwrapped(schema.def.innerType);
  return schema instanceof z.ZodPipe ? unwrapped(schema.def.in) : schema;
}
