/**
 * Rows of logits into shards and an artifact, going on from the last checkpoint of a stage. Where shards are cut depends on the rows
 * alone. A row that was written already, of the same sample and the same tokens, is passed over: a capture that is repeated adds
 * nothing.
 */
import { NightstillError } from '../../config/errors.js';
import { readBlob, type ArtifactRef, type ObjectStore, type StageWriter } from '../../storage/index.js';
import { PacedSaves } from '../paced-saves.js';
import { logitFormat, logitHeaderSchema, type LogitHeader, type NewLogitHeader } from './header.js';
import { blobsOfLogits, initialLogitState, parseLogitState, type LogitState } from './logit-state.js';
import { checkRow, type LogitRow } from './row.js';
import { encodeHeader, encodeIndex, encodeRow, type IndexEntry } from './shard-format.js';
import { tokenHashBytes } from './token-hash.js';

export interface LogitWriterRequest {
  readonly store: ObjectStore;
  readonly writer: StageWriter;
  readonly header: NewLogitHeader;
  /** A shard is closed once it holds this many bytes. Default: 16 MiB. */
  readonly shardBytes?: number;
  readonly onProgress?: (progress: LogitProgress) => void;
}

export interface LogitProgress {
  /** Rows behind us. */
  readonly rows: number;
  readonly shards: number;
  /** Shards that are in the last durable checkpoint. */
  readonly durableShards: number;
}

const defaultShardBytes = 16 * 1024 * 1024;
/** With the largest target, a shard still fits into a blob. */
const maximumRowBytes = 32 * 1024 * 1024;

export class LogitWriter {
  readonly #request: LogitWriterRequest;
  readonly #header: LogitHeader;
  readonly #shardBytes: number;
  readonly #saves: PacedSaves;
  readonly #keys = new Set<string>();
  #state: LogitState;
  /** Rows taken, also those that no closed shard holds yet. */
  #taken: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #index: IndexEntry[] = [];

  private constructor(request: LogitWriterRequest, state: LogitState) {
    this.#request = request;
    this.#header = parseNewHeader(request.header);
    this.#shardBytes = Math.min(request.shardBytes ?? defaultShardBytes, maximumRowBytes);
    this.#state = state;
    this.#taken = state.taken;
    this.#saves = new PacedSaves(request.writer, state.shards.length);
  }

  /** @throws logits-invalid for a header of impossible values; record-invalid, fence-lost, store-unavailable */
  static async resume(request: LogitWriterRequest): Promise<LogitWriter> {
    const alive = { rows: 0, shards: 0, durableShards: 0 };
    const restored = await request.writer.restore(() => request.onProgress?.(alive));
    const work = new LogitWriter(request, restored === undefined ? initialLogitState : parseLogitState(restored.state));
    for (const { keys } of work.#state.shards) work.#remember(Buffer.from(await readBlob(request.store, keys)));
    return work;
  }

  /** Rows that need not be given again: the next one is that of this place in their order. */
  get rows(): number {
    return this.#taken;
  }

  /** @throws logits-invalid for any count of distributions but one fewer than the tokens */
  async add(row: LogitRow): Promise<void> {
    const header = this.#header;
    checkRow(row, header);
    const { key, bytes } = encodeRow(row, header);
    if (bytes.length > maximumRowBytes)
      throw new NightstillError(
        'logits-invalid',
        `sample "${row.id}": expected at most ${maximumRowBytes} bytes of logits, found ${bytes.length}: keep fewer ids`,
      );
    this.#taken += 1;
    if (this.#keys.has(key.toString('latin1'))) return;
    this.#remember(key);
    if (this.#index.length === 0) this.#append(encodeHeader(header));
    this.#index.push({ key, offset: this.#bytes, bytes: bytes.length });
    this.#append(bytes);
    if (this.#bytes >= this.#shardBytes) await this.#closeShard();
  }

  /** Makes every closed shard durable. */
  async saveNow(): Promise<void> {
    this.#save();
    await this.#request.writer.drain();
  }

  async finish(): Promise<ArtifactRef> {
    if (this.#index.length > 0) await this.#closeShard();
    await this.#request.writer.drain();
    const parts = this.#state.shards.map(({ digest, bytes, rows }) => ({ digest, bytes, rows }));
    const meta = { format: logitFormat, header: this.#header };
    return this.#request.writer.putArtifact({ kind: 'logits', parts, meta });
  }

  #append(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
  }

  #remember(keys: Buffer): void {
    for (let at = 0; at < keys.length; at += tokenHashBytes)
      this.#keys.add(keys.toString('latin1', at, at + tokenHashBytes));
  }

  async #closeShard(): Promise<void> {
    const { writer, onProgress } = this.#request;
    const [index, chunks] = [this.#index, this.#chunks];
    const end = encodeIndex(index, this.#bytes);
    [this.#index, this.#chunks, this.#bytes] = [[], [], 0];
    const shard = await writer.putBlob(Buffer.concat([...chunks, end]));
    const keys = await writer.putBlob(Buffer.concat(index.map(({ key }) => key)));
    const shards = [...this.#state.shards, { ...shard, rows: index.length, keys }];
    this.#state = { taken: this.#taken, shards };
    if (this.#saves.due) this.#save();
    onProgress?.({ rows: this.#taken, shards: shards.length, durableShards: this.#saves.durable });
  }

  #save(): void {
    this.#saves.save({
      parts: this.#state.shards.length,
      state: this.#state,
      references: blobsOfLogits(this.#state),
    });
  }
}

function parseNewHeader(header: NewLogitHeader): LogitHeader {
  const parsed = logitHeaderSchema.safeParse(header);
  const [issue] = parsed.error?.issues ?? [];
  if (parsed.success && parsed.data.k <= parsed.data.vocabularySize) return parsed.data;
  throw new NightstillError(
    'logits-invalid',
    issue
      ? `${issue.path.join('.')}: ${issue.message}`
      : `k: expected at most ${header.vocabularySize}, found ${header.k}`,
  );
}
