/** How many tokens were written, and how fast. Says when progress is to be told, though nothing but tokens has come since the last time. */
import { performance } from 'node:perf_hooks';

/** Between two times that progress is told for tokens alone. */
const intervalMs = 1000;

export class TokenMeter {
  #tokens = 0;
  #sinceMs: number | undefined;
  #untilMs: number | undefined;
  #toldAtMs = -Infinity;

  /** @param tell tells progress; called by `token`, an interval after the last `told`, which whoever tells progress calls */
  constructor(
    private readonly tell: () => void,
    private readonly nowMs = () => performance.now(),
  ) {}

  /** Tokens are asked for from now on. */
  begin(): void {
    this.#sinceMs = this.nowMs();
  }

  /** No more are asked for: the pace stays what it was. */
  end(): void {
    this.#untilMs ??= this.nowMs();
  }

  readonly token = (): void => {
    this.#tokens += 1;
    if (this.nowMs() - this.#toldAtMs >= intervalMs) this.tell();
  };

  told(): void {
    this.#toldAtMs = this.nowMs();
  }

  /** From the beginning to the end, or to now; 0 before the first token. */
  get tokensPerSecond(): number {
    if (this.#sinceMs === undefined || this.#tokens === 0) return 0;
    return Math.round((this.#tokens * 1000) / ((this.#untilMs ?? this.nowMs()) - this.#sinceMs));
  }

  /** What there is to tell. */
  get facts(): { readonly tokens?: number; readonly tokensPerSecond?: number } {
    const { tokensPerSecond } = this;
    return {
      ...(this.#tokens > 0 && { tokens: this.#tokens }),
      ...(tokensPerSecond > 0 && { tokensPerSecond }),
    };
  }
}
