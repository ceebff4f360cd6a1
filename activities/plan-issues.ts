/**
 * Everything that is wrong with a plan, told at once: where, what was expected there, and what was found. What was found is told
 * by its type, never as text: a plan may hold what must not stand in a history.
 */
import { NightstillError } from '../config/errors.js';

export interface PlanIssue {
  /** `stages[1].with.epochs`; '' for the plan itself. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** A history keeps what is told. */
const mostIssues = 20;

/** @throws plan-invalid */
export function throwIfAny(issues: readonly PlanIssue[]): void {
  if (issues.length > 0) throw planInvalid(issues);
}

/** A line an issue; `details.paths` names their places, in the same order. */
export function planInvalid(issues: readonly PlanIssue[]): NightstillError {
  // Several stages may take their options from one section.
  const told = issues.filter(
    (issue, index) =>
      index ===
      issues.findIndex(
        ({ path, expected, found }) => path === issue.path && expected === issue.expected && found === issue.found,
      ),
  );
  const shown = told.slice(0, mostIssues);
  const lines = shown.map(({ path, expected, found }) => `${path || 'the plan'}: expected ${expected}, found ${found}`);
  if (told.length > shown.length) lines.push(`and ${told.length - shown.length} more`);
  return new NightstillError('plan-invalid', lines.join('\n'), {
    details: { path: shown[0]?.path ?? '', paths: shown.map(({ path }) => path).join('\n') },
  });
}

export const joinPath = (base: string, ...keys: readonly PropertyKey[]): string =>
  keys.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : path === '' ? String(key) : `${path}.${String(key)}`),
    base,
  );

export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === '') return 'an empty text';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a value of type ${typeof value}`;
}
