/**
 * How fast answers came, from the record alone: percentiles of their latencies, and tokens per second in which any call was under way.
 * Pauses between attempts and runs do not count: nothing was asked in them.
 */
import { quantileOf } from '../../config/quantile.js';
import type { JsonObject } from '../../storage/index.js';
import type { RecordedReply, Timing } from './recorded-reply.js';

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export class Latencies {
  readonly #spans: Span[] = [];
  #latencyMs = 0;
  #tokens = 0;

  /** @param timing of the reply, where it is known */
  add({ usage }: RecordedReply, { latencyMs, recordedAt }: Timing): void {
    const toMs = Date.parse(recordedAt);
    this.#spans.push({ fromMs: toMs - latencyMs, toMs });
    this.#latencyMs += latencyMs;
    this.#tokens += usage?.completionTokens ?? 0;
  }

  /** Empty where no time was written down. */
  get observed(): JsonObject {
    const latencies = this.#spans.map(({ fromMs, toMs }) => toMs - fromMs);
    const [latencyP50Ms, latencyP95Ms] = [0.5, 0.95].map((share) => quantileOf(latencies, share));
    if (latencyP50Ms === undefined || latencyP95Ms === undefined) return {};
    const busyMs = Math.max(1, covered(this.#spans));
    return {
      latencyP50Ms,
      latencyP95Ms,
      // On average, while any was under way.
      sideBySide: Math.max(1, Math.round(this.#latencyMs / busyMs)),
      ...(this.#tokens > 0 && { tokensPerSecond: Math.round((this.#tokens * 1000) / busyMs) }),
    };
  }
}

/** The time that at least one of them covers. */
function covered(spans: readonly Span[]): number {
  let [total, until] = [0, -Infinity];
  for (const { fromMs, toMs } of spans.toSorted((one, other) => one.fromMs - other.fromMs)) {
    total += Math.max(0, toMs - Math.max(fromMs, until));
    until = Math.max(until, toMs);
  }
  return total;
}
