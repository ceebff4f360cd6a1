/** What the processor multiplies by itself: without such instructions a bfloat16 product is emulated, and no speed of it counts. */
import { readFileSync } from 'node:fs';

/**
 * @param processors as Linux lists them in /proc/cpuinfo
 * @returns why bfloat16 is not to be measured here; undefined where it is
 */
export function lacksBfloat16(processors = readProcessors()): string | undefined {
  const flags = /^flags\s*:(.*)$/m.exec(processors)?.[1]?.trim().split(/\s+/) ?? [];
  return flags.includes('amx_bf16') || flags.includes('avx512_bf16')
    ? undefined
    : 'this processor has neither AMX nor AVX512-bf16';
}

/** Nothing where there is no such file: elsewhere than on Linux nothing tells. */
function readProcessors(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
