/** What a module of scorers says it has, checked: whoever wrote it may have written it in plain JavaScript. */
import { NightstillError } from '../../config/errors.js';
import { scorerVersions } from '../../config/evaluate-options.js';
import type { ScorerVersions } from '../../config/scorer-module.js';
import type { ScoreKind } from './scorer.js';

export interface ScorerDescription {
  readonly id: string;
  readonly version: number;
  readonly kind: ScoreKind;
  readonly timeLimitMs: number;
}

const defaultTimeLimitMs = 60_000;
/** The process that evaluates is taken for dead when it is silent for much longer. */
const longestTimeLimitMs = 600_000;

/**
 * @param list what the module exports; where it comes from a thread, `score` is told by its type
 * @param place where it stands, for messages
 * @throws scorers-invalid
 */
export function describeScorers(list: unknown, place: string): readonly ScorerDescription[] {
  if (!Array.isArray(list) || list.length === 0)
    throw invalid(place, 'a list of scorers as export "scorers" or as default export', saidOf(list));
  const described: ScorerDescription[] = [];
  for (const [index, scorer] of (list as unknown[]).entries()) {
    const { id, ...rest } = describe(scorer, `${place}[${index}]`);
    if (described.some((other) => other.id === id)) throw invalid(`${place}[${index}].id`, 'an id of its own', id);
    described.push({ id, ...rest });
  }
  return described;
}

export const versionsOf = (scorers: readonly Pick<ScorerDescription, 'id' | 'version'>[]): ScorerVersions =>
  Object.fromEntries(scorers.map(({ id, version }) => [id, version]));

function describe(scorer: unknown, place: string): ScorerDescription {
  if (typeof scorer !== 'object' || scorer === null) throw invalid(place, 'a scorer', saidOf(scorer));
  const { id, version, kind, score, timeLimitMs = defaultTimeLimitMs } = scorer as Record<string, unknown>;
  if (typeof id !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(id))
    throw invalid(`${place}.id`, '1 to 63 characters of A-Z a-z 0-9 . _ -', saidOf(id));
  if (Object.hasOwn(scorerVersions, id)) throw invalid(`${place}.id`, 'a name that no built-in scorer has', id);
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1)
    throw invalid(`${place}.version`, 'a whole number of at least 1', saidOf(version));
  if (kind !== 'right-wrong' && kind !== 'mean')
    throw invalid(`${place}.kind`, '"right-wrong" or "mean"', saidOf(kind));
  if (typeof score !== 'function' && score !== 'function') throw invalid(`${place}.score`, 'a function', saidOf(score));
  if (typeof timeLimitMs !== 'number' || !(timeLimitMs > 0 && timeLimitMs <= longestTimeLimitMs))
    throw invalid(`${place}.timeLimitMs`, `more than 0 and at most ${longestTimeLimitMs}`, saidOf(timeLimitMs));
  return { id, version, kind, timeLimitMs };
}

const saidOf = (value: unknown): string => {
  if (value === undefined) return 'none';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' || typeof value === 'function'
    ? `a value of type ${typeof value}`
    : JSON.stringify(value);
};

const invalid = (place: string, expected: string, found: string): NightstillError =>
  new NightstillError('scorers-invalid', `${place}: expected ${expected}, found ${found}`);
