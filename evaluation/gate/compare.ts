/**
 * One requirement of a gate against the tables: what was compared, by which test, and what came out. A test that can show
 * neither the one nor the other is `inconclusive`. Floors and ceilings are held against the mean that was measured; its
 * interval is told beside it.
 */
import type { Better, Ceiling, Floor, NotWorse, Observed, Requirement } from '../../config/gate-schema.js';
import { NightstillError } from '../../config/errors.js';
import { bootstrapMean, meanOf } from '../statistics/bootstrap.js';
import { mcnemar } from '../statistics/mcnemar.js';
import { pairedCounts } from '../statistics/paired-counts.js';
import { meanInterval } from '../statistics/mean-interval.js';
import type { Interval } from '../statistics/proportions.js';
import { tangoInterval, tangoNonInferiorityP } from '../statistics/tango.js';
import { sayReason } from './reasons.js';
import { assertResolved, resolutionOf } from './resolution.js';
import { candidateScores, pairedScores, tableOf, type GateTables, type PairedScores } from './tables.js';

export type Outcome = 'pass' | 'fail' | 'inconclusive' | 'not-applicable';

/** Plain JSON, the same for the same tables. */
export interface Comparison {
  readonly requirement: Requirement;
  readonly outcome: Outcome;
  /** The numbers below in one English line; `sayReason` makes it of them, and the Japanese one. */
  readonly reason: string;
  readonly items?: number;
  /** What was held against the requirement: a mean, a share, or a difference of means. */
  readonly estimate?: number;
  readonly interval?: Interval;
  readonly method?: 'tango' | 'mcnemar-exact' | 'mcnemar-normal' | 'paired-bootstrap' | 'wilson' | 'bootstrap';
  /** Of the test, where there is one for it. */
  readonly p?: number;
  /** Of the candidate, and of the model that it is compared with. */
  readonly mean?: number;
  readonly otherMean?: number;
  /** Of the candidate's own mean. */
  readonly ownInterval?: Interval;
  /** Why nothing was held against it. */
  readonly because?: 'too-few-items' | 'no-champion' | 'nothing-to-share';
  /** Of an observation: the execution that made it. */
  readonly source?: string;
}

type Finding = Omit<Comparison, 'requirement' | 'reason'>;

/** 0.9 of 0.8 is 0.7200000000000001 in floating point, and 360 of 500 right is as good as that. */
const roundingOfProducts = 1e-12;

export function compare(requirement: Requirement, tables: GateTables): Comparison {
  const found = { requirement, ...find(requirement, tables) };
  return { ...found, reason: sayReason(found) };
}

function find(requirement: Requirement, tables: GateTables): Finding {
  if ('observation' in requirement) return observed(requirement, tables);
  const items = candidateScores(tables, requirement.score).length;
  if (items < requirement.minItems) return { outcome: 'inconclusive', because: 'too-few-items', items };
  if ('notWorseThan' in requirement) return notWorse(requirement, tables, items);
  if ('betterThan' in requirement) return better(requirement, tables);
  return 'atLeast' in requirement ? floor(requirement, tables) : ceiling(requirement, tables);
}

const noChampion: Finding = { outcome: 'not-applicable', because: 'no-champion' };

function notWorse(requirement: NotWorse, tables: GateTables, items: number): Finding {
  const { score, notWorseThan, margin, alpha } = requirement;
  assertResolved(resolutionOf(requirement, items));
  if (notWorseThan === 'champion' && tables.champion === null) return noChampion;
  const scores = pairedScores(tables, score, notWorseThan);
  // A one-sided test at alpha says what a two-sided interval of 1 − 2·alpha says.
  const test = scores.kind === 'mean' ? bootstrapTest(scores, alpha) : tangoTest(scores, alpha, margin);
  const { interval } = test;
  const shown = test.p === undefined ? interval.lower > -margin : test.p <= alpha;
  const outcome = shown ? 'pass' : interval.upper < -margin ? 'fail' : 'inconclusive';
  return { outcome, items, ...test, ...meansOf(scores) };
}

function better({ score, betterThan, alpha }: Better, tables: GateTables): Finding {
  if (betterThan === 'champion' && tables.champion === null) return noChampion;
  const scores = pairedScores(tables, score, betterThan);
  const test = scores.kind === 'mean' ? bootstrapTest(scores, alpha) : mcnemarTest(scores, alpha);
  const isBetter = test.p === undefined ? test.interval.lower > 0 : test.p <= alpha;
  const outcome = isBetter ? 'pass' : test.interval.upper < 0 ? 'fail' : 'inconclusive';
  return { outcome, items: scores.candidate.length, ...test, ...meansOf(scores) };
}

function floor({ score, atLeast, of }: Floor, tables: GateTables): Finding {
  const own = measured(score, tables);
  if (of === undefined) return { ...own, ...decided(own.estimate >= atLeast) };
  if (of === 'champion' && tables.champion === null) return noChampion;
  const scores = pairedScores(tables, score, of);
  const { mean, otherMean } = meansOf(scores);
  const found = { items: scores.candidate.length, mean, otherMean, ownInterval: own.interval };
  if (otherMean <= 0) return { outcome: 'inconclusive', because: 'nothing-to-share', ...found };
  const holds = mean >= atLeast * otherMean - roundingOfProducts;
  return { ...decided(holds), ...found, estimate: mean / otherMean };
}

function ceiling({ score, atMost }: Ceiling, tables: GateTables): Finding {
  const own = measured(score, tables);
  return { ...own, ...decided(own.estimate <= atMost) };
}

function observed({ observation, atMost }: Observed, { observations }: GateTables): Finding {
  const found = Object.hasOwn(observations, observation) ? observations[observation] : undefined;
  if (!found) {
    const known = Object.keys(observations).toSorted().join(', ') || '(none)';
    throw new NightstillError('gate-invalid', `expected one of the observations ${known}, found "${observation}"`);
  }
  return { ...decided(found.value <= atMost), estimate: found.value, source: found.source };
}

const decided = (holds: boolean): { outcome: Outcome } => ({ outcome: holds ? 'pass' : 'fail' });

/** The candidate's own mean with a 95 % interval. */
function measured(score: string, tables: GateTables) {
  const values = candidateScores(tables, score);
  const mean = meanOf(values);
  const { kind } = tableOf(tables, score);
  const interval = meanInterval(kind, values);
  const method = kind === 'right-wrong' ? ('wilson' as const) : ('bootstrap' as const);
  return { items: values.length, estimate: mean, mean, interval, ownInterval: interval, method };
}

const meansOf = ({ candidate, other }: PairedScores) => ({ mean: meanOf(candidate), otherMean: meanOf(other) });

interface PairedTest {
  readonly estimate: number;
  readonly interval: Interval;
  readonly method: NonNullable<Comparison['method']>;
  readonly p?: number;
}

function tangoTest({ candidate, other }: PairedScores, alpha: number, margin: number): PairedTest {
  const counts = pairedCounts(candidate, other);
  const estimate = (counts.gained - counts.lost) / counts.items;
  const p = tangoNonInferiorityP(counts, margin);
  return { estimate, interval: tangoInterval(counts, 1 - 2 * alpha), method: 'tango', p };
}

function mcnemarTest({ candidate, other }: PairedScores, alpha: number): PairedTest {
  const counts = pairedCounts(candidate, other);
  const { method, pBetter } = mcnemar(counts);
  const estimate = (counts.gained - counts.lost) / counts.items;
  return { estimate, interval: tangoInterval(counts, 1 - 2 * alpha), method: `mcnemar-${method}`, p: pBetter };
}

function bootstrapTest({ candidate, other }: PairedScores, alpha: number): PairedTest {
  const differences = candidate.map((score, index) => score - (other[index] ?? 0));
  const { mean, interval } = bootstrapMean(differences, { level: 1 - 2 * alpha });
  return { estimate: mean, interval, method: 'paired-bootstrap' };
}
