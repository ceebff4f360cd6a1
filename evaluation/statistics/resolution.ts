/**
 * How small a regression an evaluation set can tell from none. With n items of which a share ψ is answered differently by two
 * equally good systems, the difference has the standard error √(ψ/n); a margin is resolved when a candidate as good as the
 * champion would pass with the wanted power: Δ ≥ (z_α + z_power)·√(ψ/n). For means, ψ is the mean square of the differences.
 */
import { normalQuantile } from './normal.js';

export interface TestDesign {
  /** How often a candidate that is worse by the whole margin may pass. */
  readonly alpha: number;
  /** How often a candidate that is just as good passes. */
  readonly power: number;
  /** ψ: the share of items on which the two are expected to differ. */
  readonly discordance: number;
}

const factor = ({ alpha, power }: TestDesign): number => -normalQuantile(alpha) + normalQuantile(power);

export const smallestRegression = (items: number, design: TestDesign): number =>
  factor(design) * Math.sqrt(design.discordance / items);

export const itemsNeeded = (margin: number, design: TestDesign): number =>
  Math.ceil((factor(design) ** 2 * design.discordance) / margin ** 2);
