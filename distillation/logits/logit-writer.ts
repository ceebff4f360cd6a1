/**
 * Rows of logits into shards and an artifact, going on from the last checkpoint of a stage. Where shards are cut depends on the rows
 * alone. A row that was written already, of the same sample and the same tokens, is passed over: a capture that is repeated adds
 * nothing.
 */
import { NightstillError } from '../../config/errors.js';
import {
  PacedSaves,
  readBlob,
  type ArtifactRef,
  type Json,
  type ObjectStore,
  type PacedSave,
  type StageWriter,
} from '../../storage/index.js';
import { inexactResumes, type Fingerprint } from '../../engine/index.js';
import { addMass, type CapturedMass } from './captured-mass.js';
import { logitFormat, logitHeaderSchema, type LogitHeader, type NewLogitHeader } from './header.js';
import { blobsOfLogits, initialLogitState, parseLogitState, type LogitState } from './logit-state.js';
import { checkRow, type LogitRow } from './row.js';
import { encodeHeader, encodeIndex, encodeRow, type IndexEntry } from './shard-format.js';
import { rowKey, tokenHash, tokenHashBytes } from './token-hash.js';

export interface LogitWriterRequest {
  readonly store: ObjectStore;
  readonly writer: StageWriter;
  readonly header: NewLogitHeader;
  /** A shard is closed once it holds this many bytes. Default: 16 MiB. */
  readonly shardBytes?: number;
  readonly onProgress?: (progress: LogitProgress) => void;
  /** What the bits of the rows depend on beside the stage. Default: nothing. */
  readonly fingerprint?: Fingerprint;
  /** What to do when the rows so far were made under another one. Default: go on, and say so in what comes out. */
  readonly onDifferentMachine?: 'continue' | 'wait';
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
  #mass: CapturedMass;
  #account: Json | undefined;
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
    this.#mass = state.mass;
    this.#account = state.account;
    this.#saves = new PacedSaves(request.writer, state.shards.length);
  }

  /**
   * @throws logits-invalid for a header of impossible values; machine-differs where another machine is to be waited for;
   * record-invalid, fence-lost, store-unavailable
   */
  static async resume(request: LogitWriterRequest): Promise<LogitWriter> {
    const { writer, store, header, fingerprint = {}, onDifferentMachine = 'continue', onProgress } = request;
    const alive = { rows: 0, shards: 0, durableShards: 0 };
    const restored = await writer.restore(() => onProgress?.(alive));
    const before = restored && parseLogitState(restored.state);
    const state = before ?? initialLogitState(header.temperatures.length);
    const resumedInexactlyAt = inexactResumes({
      before: before?.fingerprint ?? fingerprint,
      now: fingerprint,
      onDifferentMachine,
      at: state.taken,
      did: `captured until row ${state.taken}`,
      resumedInexactlyAt: state.resumedInexactlyAt,
    });
    const work = new LogitWriter(request, { ...state, fingerprint, resumedInexactlyAt });
    for (const { keys } of state.shards) {
      work.#remember(Buffer.from(await readBlob(store, keys)));
      onProgress?.(work.#progress);
    }
    return work;
  }

  /** Rows that need not be given again: the next one is that of this place in their order. */
  get rows(): number {
    return this.#taken;
  }

  /** Was a row of this sample with these tokens added, now or before? */
  has({ id, ids }: Pick<LogitRow, 'id' | 'ids'>): boolean {
    return this.#keys.has(rowKey(id, tokenHash(ids)).toString('latin1'));
  }

  /** Of all rows that were written. */
  get mass(): CapturedMass {
    return this.#mass;
  }

  /** What was given with the last row that is durable, or was added since. */
  get account(): Json | undefined {
    return this.#account;
  }

  /** Rows after which a machine went on that computes other bits; empty where the bits are those of one kind of machine. */
  get resumedInexactlyAt(): readonly number[] {
    return this.#state.resumedInexactlyAt;
  }

  /**
   * @param account kept in the checkpoint with the rows up to this one, and given back by `account` after a resume: such as their costs
   * @throws logits-invalid for any count of distributions but one fewer than the tokens
   */
  async add(row: LogitRow, account?: Json): Promise<void> {
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
    this.#mass = addMass(this.#mass, row);
    this.#account = account;
    if (this.#index.length === 0) this.#append(encodeHeader(header));
    this.#index.push({ key, offset: this.#bytes, bytes: bytes.length });
    this.#append(bytes);
    if (this.#bytes >= this.#shardBytes) await this.#closeShard();
  }

  /** Every closed shard is durable when it returns. @throws fence-lost and what saving fails with */
  saveNow(): Promise<void> {
    return this.#saves.saveNow(this.#checkpoint);
  }

  async finish(): Promise<ArtifactRef> {
    if (this.#index.length > 0) await this.#closeShard();
    await this.#request.writer.drain();
    const parts = this.#state.shards.map(({ digest, bytes, rows }) => ({ digest, bytes, rows }));
    const { resumedInexactlyAt } = this.#state;
    const note = resumedInexactlyAt.length > 0 ? { resumedInexactlyAt } : {};
    const meta = { format: logitFormat, header: this.#header, ...note };
    return { ...(await this.#request.writer.putArtifact({ kind: 'logits', parts, meta })), ...note };
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
    const account = this.#account;
    this.#state = {
      ...this.#state,
      taken: this.#taken,
      shards,
      mass: this.#mass,
      ...(account !== undefined && { account }),
    };
    if (this.#saves.due) this.#saves.save(this.#checkpoint);
    onProgress?.(this.#progress);
  }

  get #progress(): LogitProgress {
    return { rows: this.#taken, shards: this.#state.shards.length, durableShards: this.#saves.durable };
  }

  get #checkpoint(): PacedSave {
    return { parts: this.#state.shards.length, state: this.#state, references: blobsOfLogits(this.#state) };
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
