/** How long the requests of an evaluation took, whichever of its attempts made them. An observation: it binds nothing. */
import { quantileOf } from '../../config/quantile.js';
import type { JsonObject } from '../../storage/index.js';

/** No percentiles where nothing was asked. */
export function latencyOf(latenciesMs: readonly number[]): JsonObject {
  const [latencyP50Ms, latencyP95Ms] = [0.5, 0.95].map((share) => quantileOf(latenciesMs, share));
  const requests = latenciesMs.length;
  return latencyP50Ms === undefined || latencyP95Ms === undefined
    ? { requests }
    : { requests, latencyP50Ms, latencyP95Ms };
}
