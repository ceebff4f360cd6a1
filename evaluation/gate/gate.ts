/**
 * The gate: may this candidate be promoted? A pure function of a specification and of tables, so that a verdict can be checked
 * again years later: the same tables give the same bytes. Only `pass` promotes.
 *
 * `fail` when one requirement fails; else `inconclusive` when one could not be decided, or when none that asks for quality was
 * applicable: a ceiling alone, on latency or on a score, says nothing for a student. `unchanged` when the candidate is what
 * serves already.
 */
import type { Gate, Requirement } from '../../config/gate-schema.js';
import { compare, type Comparison } from './compare.js';
import type { GateTables } from './tables.js';

export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'unchanged';

export interface GateReport {
  readonly verdict: Verdict;
  /** One a line, as a person reads it. */
  readonly reasons: readonly string[];
  readonly comparisons: readonly Comparison[];
}

/**
 * @throws gate-invalid when a requirement names a score, system or observation that the tables do not have
 * @throws gate-margin-too-small when the items do not resolve a margin
 * @throws evaluation-invalid when scores of the same items are not there for both systems
 */
export function decideGate(gate: Gate, tables: GateTables): GateReport {
  if (tables.candidate === tables.champion) {
    const reason = `unchanged: the candidate is the champion, ${tables.candidate}`;
    return { verdict: 'unchanged', reasons: [reason], comparisons: [] };
  }
  const comparisons = gate.map((requirement) => compare(requirement, tables));
  const reasons = comparisons.map(({ outcome, reason }) => `${outcome}: ${reason}`);
  const outcomes = new Set(comparisons.map(({ outcome }) => outcome));
  const showsQuality = comparisons.some(
    ({ requirement, outcome }) => outcome === 'pass' && asksForQuality(requirement),
  );
  if (outcomes.has('fail')) return { verdict: 'fail', reasons, comparisons };
  if (outcomes.has('inconclusive')) return { verdict: 'inconclusive', reasons, comparisons };
  if (showsQuality) return { verdict: 'pass', reasons, comparisons };
  const nothing =
    'inconclusive: no requirement that asks for quality was applicable; give a floor that needs no champion';
  return { verdict: 'inconclusive', reasons: [...reasons, nothing], comparisons };
}

const asksForQuality = (requirement: Requirement): boolean =>
  'atLeast' in requirement || 'betterThan' in requirement || 'notWorseThan' in requirement;
