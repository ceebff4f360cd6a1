/**
 * Why a stage does not have the key it had before: the difference of two preimages, in lines that a person reads at a glance:
 * `temperature: 1 → 2`, `input dataset changed`, `version 1 → 2`. Inputs are digests, so of them only the name is told.
 * Pure: workflows and applications may import it.
 */
import type { Json, JsonObject } from './json.js';

const longestValue = 60;

/**
 * @param defaults of the stage kind: an option that stands in one preimage only was at its default in the other
 * @returns one line a difference, the stage kind's own version first; none where the two are equal
 */
export function explainDifference(previous: JsonObject, current: JsonObject, defaults: JsonObject = {}): string[] {
  if (previous['kind'] !== current['kind']) return [`stage kind: ${show(previous['kind'])} → ${show(current['kind'])}`];
  const version =
    previous['version'] === current['version']
      ? []
      : [`version ${show(previous['version'])} → ${show(current['version'])}`];
  const sections = [previous, current].map(({ options, inputs, numerics, observed }) => ({
    options: asObject(options),
    inputs: asObject(inputs),
    numerics: asObject(numerics),
    observed: asObject(observed),
  }));
  const [before, now] = sections;
  if (!before || !now) return version;
  return [
    ...version,
    ...namesOf(before.options, now.options).flatMap((name) =>
      differencesAt(
        name,
        memberOf({ ...defaults, ...before.options }, name),
        memberOf({ ...defaults, ...now.options }, name),
      ),
    ),
    ...namesOf(before.inputs, now.inputs).flatMap((name) =>
      inputDifference(name, memberOf(before.inputs, name), memberOf(now.inputs, name)),
    ),
    ...namesOf(before.numerics, now.numerics).flatMap((name) =>
      differencesAt(`numerics.${name}`, memberOf(before.numerics, name), memberOf(now.numerics, name)),
    ),
    ...namesOf(before.observed, now.observed).flatMap((name) =>
      isEqual(memberOf(before.observed, name), memberOf(now.observed, name)) ? [] : [`${name} was measured anew`],
    ),
  ];
}

/** All differences in one line of bounded length. */
export function differenceInALine(differences: readonly string[]): string {
  const [first, second, third, ...others] = differences;
  const shown = [first, second, third].filter((line) => line !== undefined).join(', ');
  return others.length > 0 ? `${shown}, and ${others.length} more` : shown;
}

function differencesAt(path: string, before: Json | undefined, now: Json | undefined): string[] {
  if (isEqual(before, now)) return [];
  if (!isObject(before) || !isObject(now)) return [`${path}: ${show(before)} → ${show(now)}`];
  if (typeof before['uri'] === 'string' && typeof now['uri'] === 'string') return [sourceDifference(path, before, now)];
  return namesOf(before, now).flatMap((name) =>
    differencesAt(`${path}.${name}`, memberOf(before, name), memberOf(now, name)),
  );
}

/** Data outside the store: its place, or what lies there. Versions of it mean nothing to a reader. */
function sourceDifference(path: string, before: JsonObject, now: JsonObject): string {
  if (before['uri'] !== now['uri']) return `${path}: ${show(before['uri'])} → ${show(now['uri'])}`;
  const bytes = before['bytes'] === now['bytes'] ? '' : `, ${show(before['bytes'])} → ${show(now['bytes'])} bytes`;
  return `${path}: what lies at ${show(now['uri'])} changed${bytes}${changedFiles(before['files'], now['files'])}`;
}

function changedFiles(before: Json | undefined, now: Json | undefined): string {
  if (!Array.isArray(before) || !Array.isArray(now)) return '';
  const [earlier, later] = [before, now].map(
    (files: readonly Json[]) => new Map(files.map((file) => [nameOf(file), file])),
  );
  const names = new Set([...(earlier?.keys() ?? []), ...(later?.keys() ?? [])]);
  const changed = [...names].filter((name) => !isEqual(earlier?.get(name), later?.get(name)));
  return changed.length > 0 ? `: ${cut(changed.join(', '))}` : '';
}

const nameOf = (file: Json): string => (isObject(file) ? show(file['name']) : '');

function inputDifference(name: string, before: Json | undefined, now: Json | undefined): string[] {
  if (isEqual(before, now)) return [];
  if (before === undefined) return [`input ${name} is new`];
  return [now === undefined ? `input ${name} is gone` : `input ${name} changed`];
}

/** What an object itself says: every object has inherited members such as `valueOf`. */
const memberOf = (object: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;

const namesOf = (...objects: readonly JsonObject[]): string[] =>
  [...new Set(objects.flatMap((all) => Object.keys(all)))].sort();

function isEqual(one: Json | undefined, other: Json | undefined): boolean {
  if (!isObject(one) || !isObject(other)) {
    if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
    return one.length === other.length && one.every((item, index) => isEqual(item as Json, other[index] as Json));
  }
  return namesOf(one, other).every((name) => isEqual(memberOf(one, name), memberOf(other, name)));
}

function show(value: Json | undefined): string {
  if (value === undefined) return 'default';
  return cut(typeof value === 'string' ? value : JSON.stringify(value));
}

const cut = (text: string): string => (text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text);

const asObject = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
