/** Shapes and numbers by seed: every run of the tests draws the same ones. */
import type { Numbers } from '../../../../engine/tracing/program.js';
import { sizeOf, type TensorSpec } from '../../../../engine/tracing/tensor-spec.js';

export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1): mulberry32. */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  shape(rank: number): number[] {
    return Array.from({ length: rank }, () => this.integer(1, 4));
  }

  /** A shape that broadcasts to `shape`: some axes of length one, some leading ones left out. */
  broadcasting(shape: readonly number[]): number[] {
    return shape.slice(this.integer(0, shape.length)).map((length) => (this.uniform() < 0.4 ? 1 : length));
  }

  /** Floats keep away from integers, where rounding and gradients jump; integers are small. */
  numbers({ shape, dtype }: TensorSpec, low: number, high: number): Numbers {
    const length = sizeOf(shape);
    if (dtype === 'bool') return Uint8Array.from({ length }, () => this.integer(0, 1));
    if (dtype === 'int32') return Int32Array.from({ length }, () => this.integer(low, high));
    return Float32Array.from({ length }, () => {
      const number = low + this.uniform() * (high - low);
      return Math.abs(number - Math.round(number)) < 0.02 ? number + 0.05 : number;
    });
  }
}
