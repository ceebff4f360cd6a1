/**
 * Workers do not know where a plan file lay: before it is sent, every path in it is made absolute against the directory of the
 * file. Which values are paths is said by the file's own top-level names and by the `sources` of the stage kinds; what has a
 * scheme (`s3://`, `https://`) is no path.
 */
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StageKind } from '../../config/stage-kind.js';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../storage/index.js';

const topLevelSources = ['teacher', 'student', 'dataset', 'evaluation'] as const;

export interface PathRules {
  readonly directory: string;
  readonly kinds: readonly StageKind[];
  /** URL of the store of a plan that names none. */
  readonly defaultStore: string;
}

/** A file that is no object is handed on as it is: what it should have been is said by whoever checks it. */
export function withAbsolutePaths(file: Json, { directory, kinds, defaultStore }: PathRules): Json {
  if (!isJsonObject(file)) return file;
  const made = absoluteIn(file, topLevelSources, directory);
  const { store, stages } = file;
  return {
    ...made,
    ...sectionPaths(file, directory, kinds),
    store: store === undefined ? defaultStore : storeUrl(store, directory),
    ...(stages !== undefined &&
      isJsonArray(stages) && { stages: stages.map((stage) => stagePaths(stage, directory, kinds)) }),
  };
}

/** Sections that hold the options of a stage of the standard plan bear the name of its kind. */
function sectionPaths(file: JsonObject, directory: string, kinds: readonly StageKind[]): JsonObject {
  return Object.fromEntries(
    kinds.flatMap(({ kind, sources }) => {
      const options = file[kind];
      if (options === undefined || !isJsonObject(options)) return [];
      return [[kind, absoluteIn(options, Object.keys(sources), directory)]];
    }),
  );
}

function stagePaths(stage: Json, directory: string, kinds: readonly StageKind[]): Json {
  if (!isJsonObject(stage)) return stage;
  const kind = kinds.find((known) => known.kind === stage['uses']);
  const options = stage['with'];
  if (kind === undefined || options === undefined || !isJsonObject(options)) return stage;
  return { ...stage, with: absoluteIn(options, Object.keys(kind.sources), directory) };
}

function absoluteIn(values: JsonObject, names: readonly string[], directory: string): JsonObject {
  return Object.fromEntries(
    Object.entries(values).map(([name, value = null]) => [
      name,
      names.includes(name) ? absolute(value, directory) : value,
    ]),
  );
}

/** A path, or a dataset that is made of several. */
function absolute(value: Json, directory: string): Json {
  if (typeof value === 'string') return isRelativePath(value) ? absolutePath(value, directory) : value;
  if (isJsonArray(value)) return value.map((item) => (typeof item === 'string' ? absolute(item, directory) : item));
  // The model of an endpoint is a name.
  return isJsonObject(value) && !('endpoint' in value) ? absoluteIn(value, ['from', 'model'], directory) : value;
}

/** A slash at the end means something: all that lies in that directory. */
const absolutePath = (path: string, directory: string): string =>
  `${resolve(directory, path)}${path.endsWith('/') ? '/' : ''}`;

const storeUrl = (value: Json, directory: string): Json =>
  typeof value === 'string' && value !== '' && !hasScheme(value)
    ? pathToFileURL(resolve(directory, value)).href
    : value;

const hasScheme = (text: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(text);

const isRelativePath = (text: string): boolean => text !== '' && !hasScheme(text) && !isAbsolute(text);
