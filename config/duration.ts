/** A duration as people write it: `90s`, `5m`, `2h`; in milliseconds when parsed. */
import { z } from 'zod';

const wanted = 'a duration such as 90s, 5m or 2h, or milliseconds';

export const durationSchema = z
  .union([z.int().positive(), z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/, wanted)], { error: wanted })
  .transform((written) => (typeof written === 'number' ? written : milliseconds(written)));

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

function milliseconds(written: string): number {
  const [, amount = '', unit = 's'] = /^([\d.]+)(ms|s|m|h)$/.exec(written) ?? [];
  return Math.round(Number(amount) * unitMs[unit as keyof typeof unitMs]);
}
