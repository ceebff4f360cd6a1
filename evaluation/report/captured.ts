/** What a capture has kept of its teacher, as its facts tell it: by these numbers K and the rule for the missing mass are chosen. */
import { z } from 'zod';
import type { JsonObject } from '../../storage/index.js';

const count = z.int().nonnegative();
const share = z.number().min(0).max(1);

const factsSchema = z.looseObject({
  rows: count,
  distributions: count,
  k: count,
  bytesPerToken: z.number().nonnegative(),
  capturedMass: z.array(
    z.object({
      temperature: z.number(),
      mean: share,
      /** How many positions have a mass from one edge, and below the next. */
      histogram: z.array(z.object({ from: share, to: share, positions: count })),
    }),
  ),
  unalignedShare: share.nullable(),
  unaligned: z.record(z.string(), count).optional(),
});

export interface CapturedDistributions {
  /** Rows of logits, and the positions in them that have a distribution. */
  readonly rows: number;
  readonly positions: number;
  readonly k: number;
  readonly bytesPerToken: number;
  readonly masses: z.output<typeof factsSchema>['capturedMass'];
  /**
   * Of an endpoint: samples that were left out, and how many for which reason. Of a model directory: samples that its own chat template
   * would have written otherwise, which are in the logits nevertheless; null where it has none.
   */
  readonly unaligned:
    | { readonly of: 'endpoint'; readonly share: number; readonly reasons: Readonly<Record<string, number>> }
    | { readonly of: 'model'; readonly share: number | null };
}

/** Undefined for the facts of another stage. */
export function capturedOf(facts: JsonObject): CapturedDistributions | undefined {
  const { data } = factsSchema.safeParse(facts);
  if (data === undefined) return undefined;
  const { rows, distributions: positions, k, bytesPerToken, capturedMass: masses, unalignedShare, unaligned } = data;
  return {
    rows,
    positions,
    k,
    bytesPerToken,
    masses,
    unaligned:
      unaligned === undefined
        ? { of: 'model', share: unalignedShare }
        : { of: 'endpoint', share: unalignedShare ?? 0, reasons: unaligned },
  };
}
