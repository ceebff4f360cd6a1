/**
 * Random numbers that can be stopped and gone on with: Philox4x32-10, a counter-based generator. A number depends on the seed,
 * on the name of its stream and on its position in the stream, on nothing else, so the whole state is three JSON values and a
 * restored generator goes on with the very next number. Streams of different names never share a counter. Not for secrets.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011); checked against its vectors.
 */
import { createHash } from 'node:crypto';
import { NightstillError } from '../../config/errors.js';

/** Where a generator stands; plain JSON. */
export interface RandomState {
  readonly seed: number;
  readonly stream: string;
  /** How many 32-bit numbers were drawn so far. */
  readonly position: number;
}

export interface Random {
  /** An integer of 0 … 2³²−1. */
  readonly uint32: () => number;
  /** A number of [0, 1) with 53 random bits. */
  readonly uniform: () => number;
  /** An integer of 0 … limit−1, every one exactly as likely; limit is 1 … 2³². */
  readonly integer: (limit: number) => number;
  /** A number of the normal distribution (Box–Muller). */
  readonly normal: () => number;
  /** The integers 0 … length−1 in random order (Fisher–Yates). */
  readonly permutation: (length: number) => Uint32Array;
  readonly state: () => RandomState;
}

/** Looked up once: in a context of `vm`, as tests run in, a look-up of `Math` costs a hundred times what its function does. */
const { floor, imul } = Math;

const wordsPerBlock = 4;
const twoTo32 = 2 ** 32;

/**
 * @param seed an integer of 0 … 2⁵³−1.
 * @param stream what the numbers are for, such as 'shuffle': streams of one seed are independent of each other.
 * @throws training-setting-invalid when the seed is not such an integer.
 */
export const createRandom = (seed: number, stream: string): Random => restoreRandom({ seed, stream, position: 0 });

/** A generator that goes on where the one of this state stood. */
export function restoreRandom({ seed, stream, position: start }: RandomState): Random {
  for (const [name, value] of Object.entries({ seed, position: start }))
    if (!Number.isSafeInteger(value) || value < 0)
      throw new NightstillError(
        'training-setting-invalid',
        `The ${name} of random stream '${stream}' must be an integer of 0 to 2^53-1, not ${value}.`,
      );
  const key = [seed >>> 0, floor(seed / twoTo32)] as const;
  const nameDigest = createHash('sha256').update(stream).digest();
  const streamWords = [nameDigest.readUInt32LE(0), nameDigest.readUInt32LE(4)] as const;
  let position = start;
  let blockNumber = -1;
  let block: Words = [0, 0, 0, 0];
  const uint32 = () => {
    const needed = floor(position / wordsPerBlock);
    if (needed !== blockNumber) {
      block = philox4x32([needed >>> 0, floor(needed / twoTo32), ...streamWords], key);
      blockNumber = needed;
    }
    return block[(position++ % wordsPerBlock) as 0 | 1 | 2 | 3];
  };
  return { ...distributions(uint32), state: () => ({ seed, stream, position }) };
}

function distributions(uint32: () => number): Omit<Random, 'state'> {
  const uniform = () => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
  const integer = (limit: number) => {
    const fair = twoTo32 - (twoTo32 % limit);
    for (;;) {
      const drawn = uint32();
      if (drawn < fair) return drawn % limit;
    }
  };
  const normal = () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  };
  const permutation = (length: number) => {
    const order = Uint32Array.from({ length }, (_, index) => index);
    for (let last = length - 1; last > 0; last--) {
      const other = integer(last + 1);
      const kept = order[last] ?? 0;
      order[last] = order[other] ?? 0;
      order[other] = kept;
    }
    return order;
  };
  return { uint32, uniform, integer, normal, permutation };
}

type Words = readonly [number, number, number, number];

/** One block of four 32-bit numbers: ten rounds over a 128-bit counter with a 64-bit key. */
export function philox4x32(counter: Words, key: readonly [number, number]): Words {
  let [word0, word1, word2, word3] = counter;
  let [key0, key1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(0xd2511f53, word0);
    const low0 = imul(0xd2511f53, word0) >>> 0;
    const high1 = highProduct(0xcd9e8d57, word2);
    const low1 = imul(0xcd9e8d57, word2) >>> 0;
    word0 = (high1 ^ word1 ^ key0) >>> 0;
    word1 = low1;
    word2 = (high0 ^ word3 ^ key1) >>> 0;
    word3 = low0;
    key0 = (key0 + 0x9e3779b9) >>> 0;
    key1 = (key1 + 0xbb67ae85) >>> 0;
  }
  return [word0, word1, word2, word3];
}

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (cross & 0xffff);
  return (aHigh * bHigh + floor(cross / 0x10000) + floor(carry / 0x10000)) >>> 0;
}
