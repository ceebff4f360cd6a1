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
import { assertResolved, resolutionOf } from './resolution.js';
import { candidateScores, pairedScores, tableOf, type GateTables, type PairedScores } from './tables.js';

export type Outcome = 'pass' | 'fail' | 'inconclusive' | 'not-applicable';

/** Plain JSON, the same for the same tables. */
export interface Comparison {
  readonly requirement: Requirement;
  readonly outcome: Outcome;
  /** The outcome and the numbers behind it, in one line. */
  readonly reason: string;
  readonly items?: number;
  /** What was held against the requirement: a mean, a share, or a difference of means. */
  readonly estimate?: number;
  readonly interval?: Interval;
  readonly method?: 'tango' | 'mcnemar-exact' | 'mcnemar-normal' | 'paired-bootstrap' | 'wilson' | 'bootstrap';
  /** Of the test, where there is one for it. */
  readonly p?: number;
}

type Finding = Omit<Comparison, 'requirement'>;

/** 0.9 of 0.8 is 0.7200000000000001 in floating point, and 360 of 500 right is as good as that. */
const roundingOfProducts = 1e-12;

export function compare(requirement: Requirement, tables: GateTables): Comparison {
  return { requirement, ...find(requirement, tables) };
}

function find(requirement: Requirement, tables: GateTables): Finding {
  if ('observation' in requirement) return observed(requirement, tables);
  const items = candidateScores(tables, requirement.score).length;
  if (items < requirement.minItems) {
    const reason = `${requirement.score}: expected at least ${requirement.minItems} items, found ${items}`;
    return { outcome: 'inconclusive', items, reason };
  }
  if ('notWorseThan' in requirement) return notWorse(requirement, tables, items);
  if ('betterThan' in requirement) return better(requirement, tables);
  return 'atLeast' in requirement ? floor(requirement, tables) : ceiling(requirement, tables);
}

function notWorse(requirement: NotWorse, tables: GateTables, items: number): Finding {
  const { score, notWorseThan, margin, alpha } = requirement;
  assertResolved(resolutionOf(requirement, items));
  if (notWorseThan === 'champion' && tables.champion === null)
    return { outcome: 'not-applicable', reason: `${score}: there is no champion yet to be compared with` };
  const scores = pairedScores(tables, score, notWorseThan);
  // A one-sided test at alpha says what a two-sided interval of 1 − 2·alpha says.
  const test = scores.kind === 'mean' ? bootstrapTest(scores, alpha) : tangoTest(scores, alpha, margin);
  const { interval } = test;
  const shown = test.p === undefined ? interval.lower > -margin : test.p <= alpha;
  const outcome = shown ? 'pass' : interval.upper < -margin ? 'fail' : 'inconclusive';
  const limit = `${say(margin)} worse than the ${notWorseThan}`;
  const verdict = { pass: `less than ${limit}`, fail: `more than ${limit}`, inconclusive: `perhaps ${limit}` }[outcome];
  return { outcome, items, ...test, reason: `${score}: ${verdict}: ${sayDifference(scores, test)}` };
}

function better({ score, betterThan, alpha }: Better, tables: GateTables): Finding {
  if (betterThan === 'champion' && tables.champion === null)
    return { outcome: 'not-applicable', reason: `${score}: there is no champion yet to be compared with` };
  const scores = pairedScores(tables, score, betterThan);
  const test = scores.kind === 'mean' ? bootstrapTest(scores, alpha) : mcnemarTest(scores, alpha);
  const isBetter = test.p === undefined ? test.interval.lower > 0 : test.p <= alpha;
  const outcome = isBetter ? 'pass' : test.interval.upper < 0 ? 'fail' : 'inconclusive';
  const verdict = { pass: 'better than', fail: 'worse than', inconclusive: 'perhaps no better than' }[outcome];
  const reason = `${score}: ${verdict} the ${betterThan}: ${sayDifference(scores, test)}`;
  return { outcome, items: scores.candidate.length, ...test, reason };
}

function floor({ score, atLeast, of }: Floor, tables: GateTables): Finding {
  const own = measured(score, tables);
  if (of === undefined) {
    const holds = own.estimate >= atLeast;
    return { ...own, ...decided(holds), reason: `${own.said}, ${holds ? 'at least' : 'below'} ${say(atLeast)}` };
  }
  if (of === 'champion' && tables.champion === null)
    return { outcome: 'not-applicable', reason: `${score}: there is no champion yet to be compared with` };
  const { candidate, other } = pairedScores(tables, score, of);
  const [mine, theirs] = [meanOf(candidate), meanOf(other)];
  if (theirs <= 0) {
    const why = `a share of the ${of}'s mean says something only when that is above 0, found ${say(theirs)}`;
    return { outcome: 'inconclusive', items: candidate.length, reason: `${own.said}; ${why}` };
  }
  const holds = mine >= atLeast * theirs - roundingOfProducts;
  const reason = `${own.said}, ${holds ? 'at least' : 'below'} ${say(atLeast)} of the ${of}'s ${say(theirs)}`;
  return { ...decided(holds), items: candidate.length, estimate: mine / theirs, reason };
}

function ceiling({ score, atMost }: Ceiling, tables: GateTables): Finding {
  const { said, ...own } = measured(score, tables);
  const holds = own.estimate <= atMost;
  return { ...own, ...decided(holds), reason: `${said}, ${holds ? 'at most' : 'above'} ${say(atMost)}` };
}

function observed({ observation, atMost }: Observed, { observations }: GateTables): Finding {
  const found = Object.hasOwn(observations, observation) ? observations[observation] : undefined;
  if (!found) {
    const known = Object.keys(observations).toSorted().join(', ') || '(none)';
    throw new NightstillError('gate-invalid', `expected one of the observations ${known}, found "${observation}"`);
  }
  const holds = found.value <= atMost;
  const reason = `${observation}: ${say(found.value)}, ${holds ? 'at most' : 'above'} ${say(atMost)}, as observed by ${found.source}`;
  return { ...decided(holds), estimate: found.value, reason };
}

const decided = (holds: boolean): { outcome: Outcome } => ({ outcome: holds ? 'pass' : 'fail' });

/** The candidate's own mean with a 95 % interval. */
function measured(score: string, tables: GateTables) {
  const values = candidateScores(tables, score);
  const estimate = meanOf(values);
  const { kind } = tableOf(tables, score);
  const interval = meanInterval(kind, values);
  const method = kind === 'right-wrong' ? ('wilson' as const) : ('bootstrap' as const);
  const said = `${score}: ${say(estimate)} ${sayInterval(interval)} on ${values.length} items`;
  return { items: values.length, estimate, interval, method, said };
}

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

const sayDifference = ({ candidate, other }: PairedScores, { estimate, interval, method, p }: PairedTest): string =>
  `${say(meanOf(candidate))} against ${say(meanOf(other))} on ${candidate.length} items, ` +
  `difference ${say(estimate)} ${sayInterval(interval)}, ${method}${p === undefined ? '' : `, p = ${say(p)}`}`;

const sayInterval = ({ lower, upper, level }: Interval): string =>
  `[${say(lower)}, ${say(upper)}] (${Number((level * 100).toFixed(4))} %)`;

/** Four digits after the point, without zeros that say nothing. */
const say = (value: number): string => String(Number(value.toFixed(4)));
