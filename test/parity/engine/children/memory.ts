/** Memory of this process as Linux counts it. */
import { readFileSync, writeFileSync } from 'node:fs';

const field = (name: string): number => {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1] ?? NaN) * 1024;
};

export const residentBytes = (): number => field('VmRSS');

/** The greatest since `forgetPeak`, or since the process began. */
export const peakBytes = (): number => field('VmHWM');

export const forgetPeak = (): void => writeFileSync('/proc/self/clear_refs', '5');
