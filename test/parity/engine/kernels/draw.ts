/** Shapes, places and numbers by seed: every run of the tests draws the same ones. */
import type { Numbers } from '../../../../engine/tracing/program.js';
import { sizeOf, type DataType, type TensorSpec } from '../../../../engine/tracing/tensor-spec.js';

export interface Input {
  readonly spec: TensorSpec;
  readonly numbers: Numbers;
}

export type Range = readonly [low: number, high: number];

export class Draw {
  #state: number;

  /**
   * @param purpose what is drawn: another stream of numbers from the same seed
   * @param shortest the least length of an axis
   */
  constructor(
    seed: number,
    purpose: string,
    readonly shortest: 0 | 1 = 1,
  ) {
    this.#state = seed >>> 0;
    for (const character of purpose) this.#state = Math.imul(this.#state ^ character.charCodeAt(0), 0x01000193) >>> 0;
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

  truth(): boolean {
    return this.uniform() < 0.5;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.integer(0, items.length - 1)]!;
  }

  shape(rank: number): number[] {
    return Array.from({ length: rank }, () => this.integer(this.shortest, 4));
  }

  /** A shape of any rank from `least` to `most`. */
  anyShape(least = 0, most = 4): number[] {
    return this.shape(this.integer(least, most));
  }

  /** As `anyShape`, but something is there to be chosen: TensorFlow refuses a choice from nothing, or asks for none. */
  someShape(least = 1, most = 4): number[] {
    return this.anyShape(least, most).map((length) => Math.max(1, length));
  }

  /** A shape that broadcasts to `shape`: some axes of length one, some leading ones left out. */
  broadcasting(shape: readonly number[]): number[] {
    return shape.slice(this.integer(0, shape.length)).map((length) => (this.uniform() < 0.4 ? 1 : length));
  }

  /** The same items in any order. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const keyed = items.map((item) => ({ item, key: this.uniform() }));
    return keyed.sort((one, other) => one.key - other.key).map(({ item }) => item);
  }

  /** An axis, counted from either end. */
  axis(rank: number): number {
    return this.integer(-rank, rank - 1);
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

  input(shape: readonly number[], dtype: DataType = 'float32', [low, high]: Range = [-3, 3]): Input {
    const spec = { shape, dtype };
    return { spec, numbers: this.numbers(spec, low, high) };
  }

  /** No two numbers are equal: an extreme is at one place. Bools repeat all the same. */
  distinct(shape: readonly number[], dtype: DataType = 'float32'): Input {
    if (dtype === 'bool') return this.input(shape, dtype);
    const numbers = this.shuffled(Array.from({ length: sizeOf(shape) }, (_, index) => index - 2));
    return {
      spec: { shape, dtype },
      numbers: dtype === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers),
    };
  }
}
