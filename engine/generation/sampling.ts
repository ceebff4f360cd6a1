/**
 * Draws a token from the logits of one position: temperature, then the k most probable, then the fewest that reach p, as
 * transformers orders them. Sums are in double precision; of equal logits the lower id counts as the more probable. The
 * result depends on the logits, the settings and one random number, on nothing else.
 */
import type { Sampling, TokenLogProbability } from './request.js';

/** How many candidates a first look for the fewest that reach p takes, and how many times as many each further look takes. */
const firstLook = 64;
const growth = 8;

/** The weight of a token: its probability but for a factor that all share. */
type Weigh = (id: number) => number;

/** @param random of [0, 1) */
export function drawToken(logits_V: Float32Array, sampling: Sampling, random: number): number {
  const { temperature = 1, topK = 0, topP = 1 } = sampling;
  const size = logits_V.length;
  const greatest = greatestOf(logits_V);
  const weigh: Weigh = (id) => Math.exp(((logits_V[id] ?? -Infinity) - greatest) / temperature);
  if (topK > 0 && topK < size) {
    const ids = mostProbable(logits_V, topK);
    const kept = topP < 1 ? countUntil(ids, weigh, topP * sumOf(ids, weigh)) : undefined;
    return drawFrom(ids.subarray(0, kept ?? topK), weigh, random);
  }
  const everything = Int32Array.from(logits_V.keys());
  if (topP >= 1) return drawFrom(everything, weigh, random);
  const target = topP * sumOf(everything, weigh);
  for (let looked = Math.min(firstLook, size); ; looked = Math.min(looked * growth, size)) {
    const ids = mostProbable(logits_V, looked);
    const kept = countUntil(ids, weigh, target);
    if (kept !== undefined || looked === size) return drawFrom(ids.subarray(0, kept ?? size), weigh, random);
  }
}

/** The most probable tokens with log p under the model as it is, most probable first. */
export function mostProbableTokens(logits_V: Float32Array, count: number): readonly TokenLogProbability[] {
  const greatest = greatestOf(logits_V);
  let sum = 0;
  for (const logit of logits_V) sum += Math.exp(logit - greatest);
  const logSumExp = greatest + Math.log(sum);
  return Array.from(mostProbable(logits_V, count), (id) => ({
    id,
    logProbability: (logits_V[id] ?? -Infinity) - logSumExp,
  }));
}

function greatestOf(logits_V: Float32Array): number {
  let greatest = -Infinity;
  for (const logit of logits_V) if (logit > greatest) greatest = logit;
  return greatest;
}

function sumOf(ids: Int32Array, weigh: Weigh): number {
  let sum = 0;
  for (const id of ids) sum += weigh(id);
  return sum;
}

/** How many of the first ids reach the sum, the one that reaches it included; undefined when all together do not. */
function countUntil(ids: Int32Array, weigh: Weigh, sum: number): number | undefined {
  let reached = 0;
  let count = 0;
  for (const id of ids) {
    reached += weigh(id);
    count += 1;
    if (reached >= sum) return count;
  }
  return undefined;
}

/** The inverse of the distribution function. */
function drawFrom(ids: Int32Array, weigh: Weigh, random: number): number {
  const target = random * sumOf(ids, weigh);
  let reached = 0;
  let last = ids[0] ?? 0;
  for (const id of ids) {
    const weight = weigh(id);
    reached += weight;
    if (reached > target) return id;
    // Rounding may leave the target unreached: then it is the last token that could be drawn at all.
    if (weight > 0) last = id;
  }
  return last;
}

/** The ids of the `count` greatest logits, greatest first: a heap whose root is the least of those kept. */
function mostProbable(logits_V: Float32Array, count: number): Int32Array {
  const at = (id: number): number => logits_V[id] ?? -Infinity;
  const before = (one: number, other: number): boolean => at(one) > at(other) || (at(one) === at(other) && one < other);
  const heap = new Int32Array(count);
  const sink = (from: number, id: number): void => {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= count) break;
      if (child + 1 < count && before(heap[child] ?? 0, heap[child + 1] ?? 0)) child += 1;
      if (!before(id, heap[child] ?? 0)) break;
      heap[place] = heap[child] ?? 0;
      place = child;
    }
    heap[place] = id;
  };
  for (let id = 0; id < count; id += 1) heap[id] = id;
  for (let place = (count >> 1) - 1; place >= 0; place -= 1) sink(place, heap[place] ?? 0);
  for (let id = count; id < logits_V.length; id += 1) if (before(id, heap[0] ?? 0)) sink(0, id);
  return heap.sort((one, other) => (before(one, other) ? -1 : 1));
}
