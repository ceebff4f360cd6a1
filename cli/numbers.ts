/** Numbers as they stand on a command line. */
import { UsageError } from './command.js';

export function wholeNumber(flag: string, text: string, [least, most]: readonly [number, number]): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${flag}: expected a whole number from ${least} to ${most}, found "${text}"`);
}
