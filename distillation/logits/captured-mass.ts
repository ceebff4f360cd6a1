/**
 * How much of a teacher's probability the kept ids hold, over all positions of a capture: what a user chooses K by. Counted
 * before values are rounded, shard after shard, so that a capture that was cut off comes to the same counts.
 */
import { z } from 'zod';
import type { LogitRow } from './row.js';

const count = z.int().nonnegative();

export const capturedMassSchema = z.object({
  tokens: count,
  positions: count,
  /** For each temperature: the sum over all positions, and how many fall between two edges. */
  masses: z.array(z.object({ sum: z.number(), counts: z.array(count) })),
});
export type CapturedMass = z.output<typeof capturedMassSchema>;

/** The bins end at these; the last one at 1. */
const edges = [0.5, 0.8, 0.9, 0.95, 0.99, 0.999];

export const noMass = (temperatures: number): CapturedMass => ({
  tokens: 0,
  positions: 0,
  masses: Array.from({ length: temperatures }, () => ({ sum: 0, counts: [0, ...edges].map(() => 0) })),
});

export const addMass = ({ tokens, positions, masses }: CapturedMass, row: LogitRow): CapturedMass => ({
  tokens: tokens + row.ids.length,
  positions: positions + row.ids.length - 1,
  masses: masses.map(({ sum, counts }, temperature) => {
    const added = [...counts];
    let total = sum;
    for (const logOdds of row.missingLogOdds[temperature] ?? []) {
      const captured = 1 / (1 + Math.exp(logOdds));
      total += captured;
      const bin = edges.findIndex((edge) => captured < edge);
      const at = bin === -1 ? edges.length : bin;
      added[at] = (added[at] ?? 0) + 1;
    }
    return { sum: total, counts: added };
  }),
});

/** As the facts of the stage show it. */
export const describeMass = ({ positions, masses }: CapturedMass, temperatures: readonly number[]) =>
  masses.map(({ sum, counts }, index) => ({
    temperature: temperatures[index] ?? Number.NaN,
    mean: positions === 0 ? 1 : sum / positions,
    histogram: counts.map((found, bin) => ({ from: edges[bin - 1] ?? 0, to: edges[bin] ?? 1, positions: found })),
  }));
