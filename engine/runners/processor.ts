/** The processor as far as numbers depend on it: libraries choose their kernels by its model and instruction sets. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';

/** For example `AMD EPYC x64 1f09ab22`: model, architecture and a digest of the instruction sets where Linux lists them. */
export function describeProcessor(): string {
  const model = cpus()[0]?.model ?? 'unknown';
  return `${model} ${arch()} ${instructionSets()}`;
}

function instructionSets(): string {
  try {
    const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    return createHash('sha256').update(flags.split(' ').sort().join(' ')).digest('hex').slice(0, 8);
  } catch {
    return 'unknown';
  }
}
