/** From the measurements of a group to rows of the report, or to the reason why a row is void or was not measured. */
import type { Contestant, Goal, Group } from './engine-groups.js';
import type { Measurement } from './engine-measurement.js';
import { ratioOf, rounded, type Row } from './report.js';

/** Every round of one contestant, or why there is none. */
export type Measured = readonly Measurement[] | { readonly why: string };

export type Judged = { readonly row: Row } | { readonly note: string };

const mebibyte = 2 ** 20;
const lossTolerance = 1e-3;
const scoreTolerance = 1e-3;
const differingTokens = 0.01;

/** A row only where every round of both sides computed the same as our first. */
export function judge(group: Group, goal: Goal, measured: ReadonlyMap<string, Measured>): Judged {
  const oursName = goal.ours ?? 'ours';
  const label = `${group.work}, ${goal.what}, ${goal.against ?? oursName}`;
  const ours = roundsOf(measured, oursName);
  if ('why' in ours) return { note: `not measured: ${label}: ${ours.why}` };
  if (goal.against === undefined) return { row: firstStepRow(group, oursName, goal.goal, ours) };
  const theirs = roundsOf(measured, goal.against);
  if ('why' in theirs) return { note: `not measured: ${label}: ${theirs.why}` };
  const [first] = ours;
  const differences = [...ours.slice(1), ...theirs].map((round) => differs(first, round));
  const difference = differences.find((found) => found !== undefined);
  if (difference !== undefined) return { note: `void: ${label}: ${difference}` };
  return { row: comparedRow(group, goal, goal.against, ours, theirs) };
}

function roundsOf(measured: ReadonlyMap<string, Measured>, name: string): Measured {
  return measured.get(name) ?? { why: `${name} did not run` };
}

function comparedRow(
  { work, tokens }: Group,
  { what, goal }: Goal,
  against: string,
  ours: readonly Measurement[],
  theirs: readonly Measurement[],
): Row {
  const isMemory = what === 'memory';
  const [mine, other] = [ours, theirs].map((rounds) =>
    isMemory
      ? least(rounds, ({ peakBytes, idleBytes }) => (peakBytes - idleBytes) / mebibyte)
      : (tokens * 1000) / least(rounds, ({ bestMs }) => bestMs),
  ) as [number, number];
  const ratio = ratioOf(mine, other);
  return {
    work: isMemory ? `peak memory of the ${work}` : work,
    against,
    ours: rounded(mine),
    theirs: rounded(other),
    unit: isMemory ? 'MiB' : 'tokens/s',
    ratio,
    goal: `${isMemory ? '≤' : '≥'} ${goal} ×`,
    met: isMemory ? ratio <= goal : ratio >= goal,
  };
}

function firstStepRow({ work }: Group, name: string, limitSeconds: number, ours: readonly Measurement[]): Row {
  const seconds = rounded(least(ours, ({ compileMs = 0, firstMs }) => compileMs + firstMs) / 1000);
  return {
    work: `${work}, tracing and compiling included: ${name}`,
    against: 'a fixed limit',
    ours: seconds,
    theirs: limitSeconds,
    unit: 's',
    ratio: ratioOf(seconds, limitSeconds),
    goal: `≤ ${limitSeconds} s`,
    met: seconds <= limitSeconds,
  };
}

const least = (rounds: readonly Measurement[], of: (round: Measurement) => number): number =>
  Math.min(...rounds.map(of));

/** Two that do not compute the same are not compared. */
function differs(ours: Measurement | undefined, theirs: Measurement): string | undefined {
  if (ours?.losses !== undefined && theirs.losses !== undefined) {
    const step = firstApart(ours.losses, theirs.losses, () => lossTolerance);
    return step && `the losses of step ${step.index + 1} are ${step.ours.toFixed(5)} and ${step.theirs.toFixed(5)}`;
  }
  if (ours?.sums !== undefined && theirs.sums !== undefined) {
    const sequence = firstApart(ours.sums, theirs.sums, (sum) => scoreTolerance * Math.abs(sum));
    return sequence && `sequence ${sequence.index} has log-probability ${sequence.ours} and ${sequence.theirs}`;
  }
  if (ours?.tokens !== undefined && theirs.tokens !== undefined) {
    const [tokens, other] = [ours.tokens.flat(), theirs.tokens.flat()];
    const wrong = tokens.filter((token, index) => token !== other[index]).length;
    return tokens.length === other.length && wrong <= differingTokens * tokens.length
      ? undefined
      : `${wrong} of ${other.length} tokens differ`;
  }
  return 'nothing shows that both computed the same';
}

/** The first place where two lists differ by more than the tolerance, one of them ends, or one holds no number. */
function firstApart(ours: readonly number[], theirs: readonly number[], tolerance: (value: number) => number) {
  for (let index = 0; index < Math.max(ours.length, theirs.length, 1); index += 1) {
    const [mine = Number.NaN, other = Number.NaN] = [ours[index], theirs[index]];
    if (!(Math.abs(mine - other) <= tolerance(mine))) return { index, ours: mine, theirs: other };
  }
  return undefined;
}

/** How a contestant is spoken of while it runs. */
export const describe = (name: string, contestant: Contestant): string =>
  contestant.by === 'engine' && contestant.backend === 'tensorflow'
    ? `${name} (${contestant.xla ? 'XLA' : 'graph'})`
    : name;
