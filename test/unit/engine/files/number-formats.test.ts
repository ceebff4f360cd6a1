import fc from 'fast-check';
import { narrow, widen, type FloatFormat } from '../../../../engine/files/number-formats.js';

const bits = (value: number): number => new DataView(new Float32Array([value]).buffer).getUint32(0, true);
const halves = (bytes: Uint8Array): number[] => [...new Uint16Array(bytes.slice().buffer)];
const allHalves = Uint16Array.from({ length: 65_536 }, (_, index) => index);

function widened(format: FloatFormat): Float32Array {
  const values = new Float32Array(allHalves.length);
  widen(new Uint8Array(allHalves.buffer), format, values);
  return values;
}

/** Every finite half of a format by the definition of IEEE 754, not by bit tricks: sign, fraction, exponent. */
const definitions = {
  F16: { fractionBits: 10, bias: 15, infinity: 0x7c00 },
  BF16: { fractionBits: 7, bias: 127, infinity: 0x7f80 },
} as const;

function valueByDefinition(half: number, format: 'F16' | 'BF16'): number {
  const { fractionBits, bias, infinity } = definitions[format];
  const sign = half >= 0x8000 ? -1 : 1;
  const magnitude = half & 0x7fff;
  if (magnitude > infinity) return NaN;
  if (magnitude === infinity) return sign * Infinity;
  const exponent = magnitude >> fractionBits;
  const fraction = (magnitude & ((1 << fractionBits) - 1)) / 2 ** fractionBits;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

/** The nearest half by search: positive halves are ordered as their bits are; of two equally near ones the even. */
function nearestBySearch(value: number, format: 'F16' | 'BF16'): number {
  const { infinity } = definitions[format];
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  let low = 0;
  let high: number = infinity;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (valueByDefinition(middle, format) <= magnitude) low = middle;
    else high = middle;
  }
  const step = valueByDefinition(low, format) - valueByDefinition(low - 1, format);
  const above = high === infinity ? valueByDefinition(low, format) + step : valueByDefinition(high, format);
  const fromLow = magnitude - valueByDefinition(low, format);
  const toHigh = above - magnitude;
  return sign | (fromLow < toHigh || (fromLow === toHigh && low % 2 === 0) ? low : high);
}

describe.each(['F16', 'BF16'] as const)('%s', (format) => {
  it('becomes float32 exactly, all 65,536 of them', () => {
    const values = widened(format);
    const wrong = allHalves.filter((half) => !Object.is(values[half], valueByDefinition(half, format)));
    expect([...wrong]).toEqual([]);
  });

  it('comes back from float32 as it was, all that are numbers', () => {
    const values = widened(format);
    const back = halves(narrow(values, format));
    const wrong = allHalves.filter((half) =>
      Number.isNaN(values[half]) ? !Number.isNaN(valueByDefinition(back[half] ?? 0, format)) : back[half] !== half,
    );
    expect([...wrong]).toEqual([]);
  });

  it('is the nearest to any float32, and the even one of two', () => {
    const anyFloat = fc.float({ noNaN: true, noDefaultInfinity: true });
    const tie = fc.integer({ min: 0, max: definitions[format].infinity - 1 }).map((half) => {
      const [low, high] = [valueByDefinition(half, format), valueByDefinition(half + 1, format)];
      return high === Infinity ? low : (low + high) / 2;
    });
    const value = fc.oneof(anyFloat, tie, fc.float({ min: -1, max: 1, noNaN: true }));
    fc.assert(
      fc.property(value, (number) => {
        const rounded = Math.fround(number);
        expect(halves(narrow(Float32Array.of(rounded), format))).toEqual([nearestBySearch(rounded, format)]);
      }),
      { numRuns: 5000, seed: 23 },
    );
  });

  it('keeps infinities, and makes them of what is too large', () => {
    const { infinity } = definitions[format];
    expect(halves(narrow(Float32Array.of(Infinity, -Infinity, 3.4e38, -3.4e38), format))).toEqual([
      infinity,
      infinity | 0x8000,
      infinity,
      infinity | 0x8000,
    ]);
  });
});

describe('F32', () => {
  it('passes through, from bytes at any address', () => {
    const target = new Float32Array(1);
    const bytes = new Uint8Array(8);
    bytes.set(new Uint8Array(Float32Array.of(1.1).buffer), 3);
    widen(bytes.subarray(3, 7), 'F32', target);
    expect(bits(target[0] ?? 0)).toBe(bits(Math.fround(1.1)));
  });

  it('is a view of the same memory when it is narrowed', () => {
    const values = Float32Array.of(1, 2);
    expect(narrow(values, 'F32').buffer).toBe(values.buffer);
  });
});
