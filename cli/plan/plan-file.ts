/**
 * A plan file as data: YAML 1.2, of which JSON is a part. Where an error names a place in the plan (`stages[1].with`), it is
 * told with the line and column of that place in the file. Nothing of the file's values is repeated.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isNode, isPair, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { hasCode, NightstillError } from '../../config/errors.js';
import type { StageKind } from '../../config/stage-kind.js';
import type { Json } from '../../storage/index.js';
import { withAbsolutePaths } from './plan-paths.js';

export interface PlanSource {
  readonly path: string;
  /** What is sent: paths are absolute, the store is named. */
  readonly file: Json;
  /** An error about a place in the plan, with line and column of that place; any other as it is. */
  readonly locate: (error: unknown) => unknown;
}

export interface ReadPlanOptions {
  readonly kinds: readonly StageKind[];
  /** URL of the store of a plan that names none. */
  readonly defaultStore: string;
}

/** @throws plan-invalid */
export async function readPlanFile(path: string, { kinds, defaultStore }: ReadPlanOptions): Promise<PlanSource> {
  const lines = new LineCounter();
  const document = parse(path, await readText(path), lines);
  const directory = dirname(resolve(path));
  const file = withAbsolutePaths(contentOf(path, document), { directory, kinds, defaultStore });
  return { path, file, locate: (error) => locate(error, path, document, lines) };
}

async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    throw new NightstillError('plan-invalid', `${path}: expected a plan file in UTF-8, found ${insteadOfText(cause)}`, {
      cause,
    });
  }
}

function insteadOfText(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return 'no file of this name';
  if (code === 'EISDIR') return 'a directory';
  return `none: ${cause instanceof Error ? cause.message : String(cause)}`;
}

function parse(path: string, text: string, lineCounter: LineCounter): Document.Parsed {
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem === undefined) return document;
  throw new NightstillError(
    'plan-invalid',
    `${place(path, lineCounter, problem.pos[0])}: expected YAML or JSON, found what is not: ${problem.message}`,
  );
}

function contentOf(path: string, document: Document.Parsed): Json {
  try {
    return document.toJS({ maxAliasCount: 100 }) as Json;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NightstillError(
      'plan-invalid',
      `${path}: expected a plan, found aliases that cannot be followed: ${reason}`,
      {
        cause,
      },
    );
  }
}

/** Every line of the message gets the place that it is about. */
function locate(error: unknown, path: string, document: Document.Parsed, lines: LineCounter): unknown {
  if (!hasCode(error, 'plan-invalid')) return error;
  const paths = String(error.details['paths'] ?? error.details['path'] ?? '').split('\n');
  const message = error.message.split('\n').map((line, index) => {
    const about = paths[index];
    if (about === undefined) return line;
    const offset = offsetOf(document, keysOf(about));
    return `${offset === undefined ? path : place(path, lines, offset)}: ${line}`;
  });
  return new NightstillError('plan-invalid', message.join('\n'), { cause: error, details: error.details });
}

/** `stages[1].with.temperature` → stages, 1, with, temperature. */
const keysOf = (path: string): (string | number)[] =>
  [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) => (name === undefined ? Number(index) : name));

/** Where the deepest part of the path stands that the file has: what is missing is missing there. */
function offsetOf(document: Document.Parsed, keys: readonly (string | number)[]): number | undefined {
  for (let length = keys.length; length > 0; length -= 1) {
    const parent = document.getIn(keys.slice(0, length - 1), true);
    const found = isNode(parent) && 'items' in parent ? itemOf(parent.items, keys[length - 1]) : undefined;
    if (found?.range) return found.range[0];
  }
  return document.contents?.range?.[0];
}

/** The key of a pair rather than its value: that is what an editor should jump to. */
function itemOf(items: readonly unknown[], key: string | number | undefined): Node | undefined {
  if (typeof key === 'number') {
    const item = items[key];
    return isNode(item) ? item : undefined;
  }
  const pair = items.find((item) => isPair(item) && isNode(item.key) && item.key.toJSON() === key);
  return isPair(pair) && isNode(pair.key) ? pair.key : undefined;
}

function place(path: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${path}:${line}:${col}`;
}
