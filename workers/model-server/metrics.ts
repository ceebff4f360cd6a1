/** Counts of a server in the text format of Prometheus. */

export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly read: () => number;
}

const bounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300] as const;

interface Latencies {
  readonly counts: number[];
  sum: number;
  total: number;
}

export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #latencies = new Map<string, Latencies>();
  readonly #gauges: readonly Gauge[];
  #promptTokens = 0;
  #generatedTokens = 0;
  #replayed = 0;

  constructor(gauges: readonly Gauge[]) {
    this.#gauges = gauges;
  }

  /** A request that is answered, or left by its client (status 499, as proxies write it). */
  answered(route: string, status: number, seconds: number): void {
    const labels = `route="${route}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
    const latencies = this.#latencies.get(route) ?? { counts: bounds.map(() => 0), sum: 0, total: 0 };
    this.#latencies.set(route, latencies);
    for (const [index, bound] of bounds.entries())
      if (seconds <= bound) latencies.counts[index] = (latencies.counts[index] ?? 0) + 1;
    latencies.sum += seconds;
    latencies.total += 1;
  }

  computed(promptTokens: number, generatedTokens: number): void {
    this.#promptTokens += promptTokens;
    this.#generatedTokens += generatedTokens;
  }

  /** A reply that was recorded before. */
  replayed(): void {
    this.#replayed += 1;
  }

  draw(): string {
    return [
      ...family('nightstill_requests_total', 'counter', 'Requests by route and status of the reply.', this.#requests),
      ...single('nightstill_prompt_tokens_total', 'counter', 'Tokens of prompts that were read.', this.#promptTokens),
      ...single('nightstill_generated_tokens_total', 'counter', 'Tokens that were generated.', this.#generatedTokens),
      ...single('nightstill_replayed_total', 'counter', 'Replies that came from the idempotency log.', this.#replayed),
      ...this.#gauges.flatMap(({ name, help, read }) => single(name, 'gauge', help, read())),
      ...this.#drawLatencies(),
      '',
    ].join('\n');
  }

  #drawLatencies(): string[] {
    const name = 'nightstill_request_seconds';
    const lines = [...this.#latencies].flatMap(([route, { counts, sum, total }]) => [
      ...bounds.map((bound, index) => `${name}_bucket{route="${route}",le="${bound}"} ${counts[index] ?? 0}`),
      `${name}_bucket{route="${route}",le="+Inf"} ${total}`,
      `${name}_sum{route="${route}"} ${sum}`,
      `${name}_count{route="${route}"} ${total}`,
    ]);
    return [...heading(name, 'histogram', 'Seconds from a request to the end of its reply.'), ...lines];
  }
}

type Kind = 'counter' | 'gauge' | 'histogram';

const heading = (name: string, kind: Kind, help: string): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${kind}`,
];

const single = (name: string, kind: Kind, help: string, value: number): string[] => [
  ...heading(name, kind, help),
  `${name} ${value}`,
];

const family = (name: string, kind: Kind, help: string, values: ReadonlyMap<string, number>): string[] => [
  ...heading(name, kind, help),
  ...[...values].map(([labels, value]) => `${name}{${labels}} ${value}`),
];
