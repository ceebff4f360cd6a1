/**
 * A shuffle that is computed, not stored: position → sample of an epoch, as a keyed permutation of [0, samples). It needs no
 * memory, whatever the number of samples, and a resumed run asks for any position at once, where a shuffled list would have to
 * be made anew and held. A Feistel network permutes the numbers of an even count of bits; numbers beyond the samples walk on
 * along their cycle until they are within, which they are after fewer than four steps on average (more below 64 samples, where
 * the network keeps 8 bits, so that its rounds have something to mix).
 *
 * Sources: Luby, Rackoff, "How to construct pseudorandom permutations" (1988); Black, Rogaway, "Ciphers with arbitrary finite
 * domains" (CT-RSA 2002) for the walk. The keys of the rounds come from Philox (`training/random.ts`), the round function is the
 * finaliser of MurmurHash3 (Appleby, public domain). Not for secrets.
 */
import { NightstillError } from '../../config/errors.js';
import { philox4x32 } from '../training/random.js';

const { imul } = Math;
const rounds = 8;
const leastHalfBits = 4;
const maximumSamples = 2 ** 32;
const twoTo32 = 2 ** 32;

/**
 * The order of one epoch: a function from positions 0 … samples−1 to samples, each of which it gives once.
 * @param samples 1 … 2³².
 * @param seed an integer of 0 … 2⁵³−1.
 * @throws training-setting-invalid
 */
export function createShuffle(samples: number, seed: number, epoch: number): (position: number) => number {
  confirm('samples', samples, 1, maximumSamples);
  confirm('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  confirm('epoch', epoch, 0, twoTo32 - 1);
  const halfBits = Math.max(leastHalfBits, Math.ceil(Math.log2(samples) / 2));
  const half = 2 ** halfBits;
  const seedWords = [seed >>> 0, Math.floor(seed / twoTo32)] as const;
  const roundKeys = Array.from({ length: rounds }, (_, round) => philox4x32([round, 0, epoch, halfBits], seedWords)[0]);
  const permute = (value: number): number => {
    let left = Math.floor(value / half);
    let right = value % half;
    for (const key of roundKeys) {
      const next = (left ^ mix(right ^ key)) & (half - 1);
      left = right;
      right = next;
    }
    return left * half + right;
  };
  return (position) => {
    if (!Number.isSafeInteger(position) || position < 0 || position >= samples)
      throw new RangeError(`there is no position ${position} among ${samples} samples`);
    let value = permute(position);
    while (value >= samples) value = permute(value);
    return value;
  };
}

function mix(value: number): number {
  const once = imul(value ^ (value >>> 16), 0x85ebca6b);
  const twice = imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}

function confirm(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new NightstillError('training-setting-invalid', `${name}: expected ${least} to ${most}, found ${value}`);
}
