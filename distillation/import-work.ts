/**
 * One attempt at an import: rows of one file after another go in, shards come out, checkpoints are saved between shards. It knows
 * nothing of where the rows come from, nor when the work is over.
 *
 * Ids are unique. A row keeps the id that it was given, or gets one of its content. Where there are several files, a given id is that of
 * the row within its file, and has the name of the file before it; a row that an earlier file has as well is left out, and counted.
 */
import { PacedSaves, readBlob, type ObjectStore, type PacedSave, type StageWriter } from '../storage/index.js';
import { blobsOf, initialState, parseImportState, type ImportState } from './import-state.js';
import type { LinePosition } from './lines.js';
import { RowIds } from './row-ids.js';
import { contentId, invalidRow, rowText, type UnnamedRow } from './row.js';
import { ShardCutter } from './shard-cutter.js';
import type { PlacedRow, RowBatch } from './source-rows.js';

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
  /** While an earlier attempt is taken up: what was read of it. */
  readonly restoredParts?: number;
}

export class ImportWork {
  readonly #ids = new RowIds();
  readonly #cutter: ShardCutter;
  readonly #request: ImportWorkRequest;
  readonly #saves: PacedSaves;
  #state: ImportState;
  /** Where the last complete row ends: the state of the next shard, once it is closed. */
  #position: Omit<ImportState, 'shards'>;
  /** Of the file that is read, where there are several. */
  #fileName: string | undefined;
  #bytesRead: number;

  private constructor(request: ImportWorkRequest, state: ImportState) {
    this.#request = request;
    this.#state = state;
    const { shards: _, ...position } = state;
    this.#position = position;
    this.#bytesRead = state.offset;
    this.#saves = new PacedSaves(request.writer, state.shards.length);
    this.#cutter = new ShardCutter(request.shardBytes);
  }

  static async resume(request: ImportWorkRequest): Promise<ImportWork> {
    // Everything recorded is read and verified: whoever watches must see that something happens.
    let restoredParts = 0;
    const restored = await request.writer.restore(() => {
      restoredParts += 1;
      request.onProgress({ bytesRead: 0, shards: 0, durableShards: 0, restoredParts });
    });
    const work = new ImportWork(request, restored === undefined ? initialState : parseImportState(restored.state));
    for (const { ids } of work.shards) {
      work.#ids.restore(await readBlob(request.store, ids));
      work.#report((restoredParts += 1));
    }
    work.#ids.takeAdded();
    return work;
  }

  /** The one to go on with: those before it are in the shards. */
  get file(): number {
    return this.#state.file;
  }

  get shards(): ImportState['shards'] {
    return this.#state.shards;
  }

  get lines(): number {
    return this.#position.line;
  }

  get repeated(): number {
    return this.#position.repeated;
  }

  /** The rows that come now are of this file. @returns where in it to begin */
  enter(file: number, name: string | undefined): LinePosition {
    const { repeated, ...position } = this.#position;
    const { offset, line } = position.file === file ? position : { offset: 0, line: 0 };
    this.#position = { file, offset, line, repeated };
    this.#fileName = name;
    return { offset, line };
  }

  async read({ rows, bytes }: RowBatch, stop: AbortSignal): Promise<void> {
    for (const row of rows) {
      stop.throwIfAborted();
      await this.#take(row);
    }
    this.#bytesRead += bytes;
    this.#report();
  }

  async finishReading(): Promise<void> {
    if (!this.#cutter.empty) await this.#closeShard();
    await this.#request.writer.drain();
  }

  /** Every closed shard is durable when it returns. @throws fence-lost and what saving fails with */
  saveNow(): Promise<void> {
    return this.#saves.saveNow(this.#checkpoint);
  }

  async #take(placed: PlacedRow): Promise<void> {
    const { row, end } = placed;
    this.#position = { ...this.#position, ...end };
    if (row === undefined) return;
    if (this.#isRepeated(row)) {
      this.#position = { ...this.#position, repeated: this.repeated + 1 };
      return;
    }
    this.#cutter.add(rowText(this.#name(row, placed), row));
    if (this.#cutter.full) await this.#closeShard();
  }

  /** Has an earlier file the same row, by content and by the id that it was given? */
  #isRepeated(row: UnnamedRow): boolean {
    if (this.#fileName === undefined) return false;
    // No id of a row begins with a line break: these are entries of their own, with the file in place of the line.
    const file = this.#position.file + 1;
    const known = this.#ids.add(`\n${row.givenId ?? ''}\n${contentId(row)}`, file);
    return known !== undefined && known < file;
  }

  /** The given id, or one of the content: a row that occurs again in its file is numbered, `…-2` and so on. */
  #name(row: UnnamedRow, { end: { line }, unit }: PlacedRow): string {
    const given =
      row.givenId !== undefined && this.#fileName !== undefined ? `${this.#fileName}:${row.givenId}` : row.givenId;
    const id = given ?? firstFree(contentId(row), (candidate) => this.#ids.has(candidate));
    const known = this.#ids.add(id, line);
    if (known === undefined) return id;
    throw invalidRow(line, 'an id that no other row has', `the id of ${unit} ${known}`, unit);
  }

  async #closeShard(): Promise<void> {
    const { writer } = this.#request;
    const { bytes, rows } = this.#cutter.take();
    const shard = await writer.putBlob(bytes);
    const ids = await writer.putBlob(this.#ids.takeAdded());
    this.#state = { ...this.#position, shards: [...this.shards, { ...shard, rows, ids }] };
    if (this.#saves.due) this.#saves.save(this.#checkpoint);
    this.#report();
  }

  get #checkpoint(): PacedSave {
    return { parts: this.shards.length, state: this.#state, references: blobsOf(this.#state) };
  }

  #report(restoredParts?: number): void {
    const [shards, durableShards] = [this.shards.length, this.#saves.durable];
    const restored = restoredParts === undefined ? {} : { restoredParts };
    this.#request.onProgress({ bytesRead: this.#bytesRead, shards, durableShards, ...restored });
  }
}

/** `id`, or `id-2`, `id-3` …: the first that is free. Found by galloping search, so that a million equal rows take little time. */
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
