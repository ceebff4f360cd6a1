/**
 * Collects rows until a shard is full. Where it cuts depends on the rows alone: a shard is full once it holds the target, so
 * the same rows give the same shards, however often the work was interrupted.
 */
export interface Shard {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly rows: number;
}

export class ShardCutter {
  #rows: Buffer[] = [];
  #bytes = 0;

  constructor(private readonly targetBytes: number) {}

  add(text: string): void {
    const row = Buffer.from(text);
    this.#rows.push(row);
    this.#bytes += row.length;
  }

  get full(): boolean {
    return this.#bytes >= this.targetBytes;
  }

  get empty(): boolean {
    return this.#rows.length === 0;
  }

  take(): Shard {
    const shard = { bytes: Buffer.concat(this.#rows), rows: this.#rows.length };
    this.#rows = [];
    this.#bytes = 0;
    return shard;
  }
}
