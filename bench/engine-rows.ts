/** From the measurements of a group to rows of the report, or to the reason why a row is void or was not measured. */
import type { Contestant, Goal, Group } from './engine-groups.js';
import type { Measurement } from './engine-measurement.js';
import { rounded, type Row } from './report.js';

/** Every round of one contestant, or why there is none. */
export type Measured = readonly Measurement[] | { readonly why: string };

export type Judged = { readonly row: Row } | { readonly note: string };

const mebibyte = 2 ** 20;
const lossTolerance = 1e-3;
const scoreTolerance = 1e-3;
const differingTokens = 0.01;

export function judge(group: Group, goal: Goal, measured: ReadonlyMap<string, Measured>): Judged {
  const oursName = goal.ours ?? 'ours';
  const label = `${group.work}, ${goal.what}, ${goal.against ?? oursName}`;
  const ours = roundsOf(measured, oursName);
  if ('why' in ours) return { note: `not measured: ${label}: ${ours.why}` };
  if (goal.against === undefined) return { row: firstStepRow(group, oursName, goal.goal, ours) };
  const theirs = roundsOf(measured, goal.against);
  if ('why' in theirs) return { note: `not measured: ${label}: ${theirs.why}` };
  const difference = differs(ours[0], theirs[0]);
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
  const ratio = rounded(isMemory ? other / mine : mine / other);
  return {
    work: isMemory ? `peak memory of the ${work}` : work,
    against,
    ours: rounded(mine),
    theirs: rounded(other),
    unit: isMemory ? 'MiB' : 'tokens/s',
    ratio,
    goal: isMemory ? `≤ ${rounded(1 / goal)} ×` : `≥ ${goal} ×`,
    met: ratio >= goal,
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
    ratio: rounded(limitSeconds / seconds),
    goal: `≤ ${limitSeconds} s`,
    met: seconds <= limitSeconds,
  };
}

const least = (rounds: readonly Measurement[], of: (round: Measurement) => number): number =>
  Math.min(...rounds.map(of));

/** Two that do not compute the same are not compared. */
function differs(ours: Measurement | undefined, theirs: Measurement | undefined): string | undefined {
  const [loss, otherLoss] = [ours?.losses?.at(-1), theirs?.losses?.at(-1)];
  if (loss !== undefined && otherLoss !== undefined)
    return Math.abs(loss - otherLoss) <= lossTolerance
      ? undefined
      : `the last losses are ${loss.toFixed(5)} and ${otherLoss.toFixed(5)}`;
  if (ours?.sums !== undefined && theirs?.sums !== undefined) {
    const other = theirs.sums;
    const wrong = ours.sums.findIndex(
      (sum, index) => !(Math.abs(sum - (other[index] ?? Number.NaN)) <= scoreTolerance * Math.abs(sum)),
    );
    return wrong === -1 ? undefined : `sequence ${wrong} has log-probability ${ours.sums[wrong]} and ${other[wrong]}`;
  }
  if (ours?.tokens !== undefined && theirs?.tokens !== undefined) {
    const [tokens, other] = [ours.tokens.flat(), theirs.tokens.flat()];
    const wrong = tokens.filter((token, index) => token !== other[index]).length;
    return tokens.length === other.length && wrong <= differingTokens * tokens.length
      ? undefined
      : `${wrong} of ${other.length} tokens differ`;
  }
  return 'nothing shows that both computed the same';
}

/** How a contestant is spoken of while it runs. */
export const describe = (name: string, contestant: Contestant): string =>
  contestant.by === 'engine' && contestant.backend === 'tensorflow'
    ? `${name} (${contestant.xla ? 'XLA' : 'graph'})`
    : name;
