/**
 * One attempt at an import: lines go in, shards come out, checkpoints are saved between shards. It knows nothing of where
 * the lines come from, nor when the work is over.
 */
import { PacedSaves, readBlob, type ObjectStore, type StageWriter } from '../storage/index.js';
import { blobsOf, initialState, parseImportState, type ImportState } from './import-state.js';
import { LineSplitter, type Line } from './lines.js';
import { RowIds } from './row-ids.js';
import { contentId, invalidRow, parseRow, rowText, type UnnamedRow } from './row.js';
import { ShardCutter } from './shard-cutter.js';

export interface ImportWorkRequest {
  readonly store: ObjectStore;
  readonly writer: StageWriter;
  /** A shard is closed once it holds this many bytes. */
  readonly shardBytes: number;
  readonly onProgress: (progress: ImportProgress) => void;
}

export interface ImportProgress {
  /** Bytes of the source that are behind us. */
  readonly bytesRead: number;
  readonly shards: number;
  /** Shards that are in the last durable checkpoint; 0 before the first. */
  readonly durableShards: number;
}

export class ImportWork {
  readonly #ids = new RowIds();
  readonly #cutter: ShardCutter;
  readonly #lines: LineSplitter;
  readonly #request: ImportWorkRequest;
  readonly #saves: PacedSaves;
  #state: ImportState;
  /** Where the last complete line ends: the state of the next shard, once it is closed. */
  #position: { offset: number; line: number };
  #bytesRead: number;

  private constructor(request: ImportWorkRequest, state: ImportState) {
    this.#request = request;
    this.#state = state;
    this.#position = { offset: state.offset, line: state.line };
    this.#bytesRead = state.offset;
    this.#saves = new PacedSaves(request.writer, state.shards.length);
    this.#lines = new LineSplitter(this.#position);
    this.#cutter = new ShardCutter(request.shardBytes);
  }

  static async resume(request: ImportWorkRequest): Promise<ImportWork> {
    // Everything recorded is read and verified: whoever watches must see that something happens.
    const alive = { bytesRead: 0, shards: 0, durableShards: 0 };
    const restored = await request.writer.restore(() => request.onProgress(alive));
    const work = new ImportWork(request, restored === undefined ? initialState : parseImportState(restored.state));
    for (const { ids } of work.shards) {
      work.#ids.restore(await readBlob(request.store, ids));
      work.#report();
    }
    work.#ids.takeAdded();
    return work;
  }

  get offset(): number {
    return this.#state.offset;
  }

  get shards(): ImportState['shards'] {
    return this.#state.shards;
  }

  get lines(): number {
    return this.#position.line;
  }

  async read(chunk: Uint8Array, stop: AbortSignal): Promise<void> {
    for (const line of this.#lines.push(chunk)) {
      stop.throwIfAborted();
      await this.#take(line);
    }
    this.#bytesRead += chunk.length;
    this.#report();
  }

  async finishReading(): Promise<void> {
    for (const line of this.#lines.end()) await this.#take(line);
    if (!this.#cutter.empty) await this.#closeShard();
    await this.#request.writer.drain();
  }

  /** Makes every closed shard durable. */
  async saveNow(): Promise<void> {
    this.#save();
    await this.#request.writer.drain();
  }

  async #take(line: Line): Promise<void> {
    const row = parseRow(line);
    this.#position = { offset: line.end, line: line.number };
    if (row === undefined) return;
    this.#cutter.add(rowText(this.#name(row, line.number), row));
    if (this.#cutter.full) await this.#closeShard();
  }

  /** The given id, or one of the content: a row that occurs again is numbered, `…-2` and so on. */
  #name(row: UnnamedRow, line: number): string {
    const id = row.givenId ?? firstFree(contentId(row), (candidate) => this.#ids.has(candidate));
    const known = this.#ids.add(id, line);
    if (known === undefined) return id;
    throw invalidRow(line, 'an id that no other row has', `the id of line ${known}`);
  }

  async #closeShard(): Promise<void> {
    const { writer } = this.#request;
    const { bytes, rows } = this.#cutter.take();
    const shard = await writer.putBlob(bytes);
    const ids = await writer.putBlob(this.#ids.takeAdded());
    this.#state = { ...this.#position, shards: [...this.shards, { ...shard, rows, ids }] };
    if (this.#saves.due) this.#save();
    this.#report();
  }

  #save(): void {
    this.#saves.save({ parts: this.shards.length, state: this.#state, references: blobsOf(this.#state) });
  }

  #report(): void {
    const [shards, durableShards] = [this.shards.length, this.#saves.durable];
    this.#request.onProgress({ bytesRead: this.#bytesRead, shards, durableShards });
  }
}

/** `id`, or with the smallest number of a run of taken ones behind it: galloping, so that a million equal rows are no trouble. */
export function firstFree(id: string, isTaken: (id: string) => boolean): string {
  if (!isTaken(id)) return id;
  let taken = 1;
  let free = 2;
  for (; isTaken(`${id}-${free}`); free *= 2) taken = free;
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2);
    if (isTaken(`${id}-${middle}`)) taken = middle;
    else free = middle;
  }
  return `${id}-${free}`;
}
