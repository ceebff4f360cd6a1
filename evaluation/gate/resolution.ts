/** What an evaluation set of so many items can tell, before anything is trained: a plan shows it and refuses what it cannot. */
import { NightstillError } from '../../config/errors.js';
import type { Gate, NotWorse, Requirement } from '../../config/gate-schema.js';
import { itemsNeeded, smallestRegression } from '../statistics/resolution.js';

export interface Resolution {
  readonly score: string;
  readonly notWorseThan: string;
  readonly margin: number;
  readonly items: number;
  /** The smallest margin that so many items resolve. */
  readonly smallestRegression: number;
  /** How many items the margin of the gate needs. */
  readonly itemsNeeded: number;
}

export const resolutionOf = (requirement: NotWorse, items: number): Resolution => ({
  score: requirement.score,
  notWorseThan: requirement.notWorseThan,
  margin: requirement.margin,
  items,
  smallestRegression: smallestRegression(items, requirement),
  itemsNeeded: itemsNeeded(requirement.margin, requirement),
});

/**
 * One for each requirement with a margin.
 * @throws gate-margin-too-small when the items do not resolve one of them; gate-items-too-few when they are fewer than a requirement wants
 */
export function resolveMargins(gate: Gate, items: number): Resolution[] {
  const resolutions = gate.flatMap((each) => ('notWorseThan' in each ? [resolutionOf(each, items)] : []));
  for (const resolution of resolutions) assertResolved(resolution);
  for (const requirement of gate) if ('score' in requirement) assertEnough(requirement, items);
  return resolutions;
}

type Scored = Extract<Requirement, { score: string }>;

/** With fewer the verdict is `inconclusive`, whatever the student can. */
function assertEnough({ score, minItems }: Scored, items: number): void {
  if (items >= minItems) return;
  throw new NightstillError(
    'gate-items-too-few',
    `${score}: expected at least ${minItems} items to decide by (minItems), found ${items}`,
    { details: { items, minItems } },
  );
}

export function assertResolved(resolution: Resolution): void {
  const { score, notWorseThan, margin, items } = resolution;
  if (items >= resolution.itemsNeeded) return;
  throw new NightstillError(
    'gate-margin-too-small',
    `${score}, not worse than ${notWorseThan}: expected a margin that ${items} items resolve, ` +
      `${rounded(resolution.smallestRegression)} or more, or ${resolution.itemsNeeded} items; found ${margin}`,
    { details: { items, margin, ...pick(resolution) } },
  );
}

const pick = ({ smallestRegression: smallest, itemsNeeded: needed }: Resolution) => ({
  smallestRegression: smallest,
  itemsNeeded: needed,
});

export const sayResolution = ({
  score,
  notWorseThan,
  margin,
  items,
  smallestRegression: smallest,
}: Resolution): string =>
  `${score}, not worse than ${notWorseThan}: ${items} items resolve a loss of ${rounded(smallest)}, the margin is ${margin}`;

/** Upwards: a margin copied from a message is resolved. */
const rounded = (value: number): string => (Math.ceil(value * 1e4) / 1e4).toFixed(4);
