/**
 * The processor and the JavaScript engine, as far as numbers depend on them: libraries choose their kernels by the processor's model and
 * instruction sets, and JavaScript's exp, log, cos and powers are rounded as the release of V8 does it.
 */
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

/** For example `12.4`. It has a part in learning rates, bias corrections, losses on wasm and tokens that are drawn. */
export const describeJavaScript = (): string => /^\d+\.\d+/.exec(process.versions.v8)?.[0] ?? process.versions.v8;

/** Of Node; its types know no value of this name. */
declare const WebAssembly: { validate(bytes: Uint8Array): boolean };

/**
 * WebAssembly says what each operation gives, whatever the processor; but tfjs has one module for processors with SIMD and one for those
 * without, and its products choose their loops by the architecture.
 */
export const describeWasm = (): { readonly architecture: string; readonly simd: boolean } => ({
  architecture: arch(),
  simd: WebAssembly.validate(simdModule),
});

/** A module whose only function makes a vector of bytes: what tfjs asks as well. */
const simdModule = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11,
]);
