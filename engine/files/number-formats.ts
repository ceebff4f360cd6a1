/**
 * The number formats of safetensors, and their way to and from float32. Widening (F16, BF16 → float32) is exact; narrowing
 * rounds to the nearest, ties to even, as torch does; what is too large becomes infinite, and NaN stays NaN. Bytes are little-endian,
 * in files as in the memory of every machine that Node.js runs on with the engine.
 */

/** Bytes of one element, by the name that files use. */
export const elementBytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export type NumberFormat = keyof typeof elementBytes;

/** Formats whose values become float32 on request. */
export type FloatFormat = 'F32' | 'F16' | 'BF16';

export const isNumberFormat = (name: string): name is NumberFormat => Object.hasOwn(elementBytes, name);

export const isFloatFormat = (format: NumberFormat): format is FloatFormat =>
  format === 'F32' || format === 'F16' || format === 'BF16';

/**
 * Writes the values of `bytes` into `target`, whose length says how many there are. The bytes may be the end of the target's own
 * memory: going forward, the n-th is read before its place is written, and never lies where an earlier one was.
 */
export function widen(bytes: Uint8Array, format: FloatFormat, target: Float32Array): void {
  if (format === 'F32') {
    if (bytes.buffer === target.buffer && bytes.byteOffset === target.byteOffset) return;
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes);
    return;
  }
  const halves = alignedHalves(bytes);
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length);
  if (format === 'BF16') for (let index = 0; index < words.length; index++) words[index] = (halves[index] ?? 0) << 16;
  else for (let index = 0; index < words.length; index++) words[index] = wordOfHalf(halves[index] ?? 0);
}

/** The bytes of `values` in a format; for F32 they are a view of the same memory. */
export function narrow(values: Float32Array, format: FloatFormat): Uint8Array {
  if (format === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  const round = format === 'BF16' ? brainFloatOfWord : halfOfWord;
  for (let index = 0; index < words.length; index++) halves[index] = round(words[index] ?? 0);
  return new Uint8Array(halves.buffer);
}

function alignedHalves(bytes: Uint8Array): Uint16Array {
  if (bytes.byteOffset % 2 === 0) return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
  return new Uint16Array(new Uint8Array(bytes).buffer, 0, bytes.byteLength >> 1);
}

const float32Sign = 0x8000_0000;
const float32Infinity = 0x7f80_0000;

function brainFloatOfWord(word: number): number {
  const magnitude = word & 0x7fff_ffff;
  if (magnitude > float32Infinity) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

/** IEEE binary16, 1 + 5 + 10 bits, bias 15, to the bits of a binary32. */
function wordOfHalf(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | float32Infinity | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

function halfOfWord(word: number): number {
  const sign = (word & float32Sign) >>> 16;
  const magnitude = word & 0x7fff_ffff;
  if (magnitude > float32Infinity) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  const exponent = magnitude >>> 23;
  if (exponent >= 143) return sign | 0x7c00;
  if (exponent >= 113) return sign | roundedShift(magnitude - (112 << 23), 13);
  // Smaller than the least normal half: the leading one becomes explicit, and the result counts multiples of 2^-24.
  if (exponent < 102) return sign;
  return sign | roundedShift((magnitude & 0x7f_ffff) | 0x80_0000, 126 - exponent);
}

/** value / 2^bits, to the nearest integer, ties to even. */
function roundedShift(value: number, bits: number): number {
  const half = 1 << (bits - 1);
  const rest = value & ((1 << bits) - 1);
  const whole = value >>> bits;
  return rest > half || (rest === half && (whole & 1) === 1) ? whole + 1 : whole;
}
