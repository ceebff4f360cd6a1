/**
 * Writes one shard as a stream: memory holds a buffer and the index. The file has its name only when it is whole and on disk;
 * until then it ends in `.partial`.
 */
import { createHash } from 'node:crypto';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sample } from './samples.js';
import { countTrained } from './samples.js';
import { encodeHeader, encodeIndex, encodeSample, type IndexEntry, type ShardHeader } from './shard-format.js';
import type { ShardDescription } from './shard-manifest.js';

const bufferBytes = 1024 * 1024;

export class ShardWriter {
  readonly #hash = createHash('sha256');
  readonly #index: IndexEntry[] = [];
  #buffered: Buffer[] = [];
  #bufferedBytes = 0;
  #bytes = 0;

  private constructor(
    private readonly directory: string,
    private readonly file: string,
    private readonly handle: FileHandle,
    private readonly header: ShardHeader,
  ) {
    this.#append(encodeHeader(header));
  }

  static async create(directory: string, file: string, header: ShardHeader): Promise<ShardWriter> {
    return new ShardWriter(directory, file, await open(join(directory, `${file}.partial`), 'w'), header);
  }

  get bytes(): number {
    return this.#bytes;
  }

  async add(sample: Sample): Promise<void> {
    const trainedTokens = countTrained(sample.trained);
    this.#index.push({ offset: this.#bytes, tokens: sample.ids.length, trainedTokens });
    this.#append(encodeSample(sample, this.header.idBits));
    if (this.#bufferedBytes >= bufferBytes) await this.#flush();
  }

  /** Ends the shard and gives it its name. */
  async finish(): Promise<ShardDescription> {
    this.#append(encodeIndex(this.#index, this.#bytes));
    await this.#flush();
    await this.handle.sync();
    await this.handle.close();
    await rename(join(this.directory, `${this.file}.partial`), join(this.directory, this.file));
    return {
      file: this.file,
      bytes: this.#bytes,
      samples: this.#index.length,
      tokens: this.#index.reduce((sum, { tokens }) => sum + tokens, 0),
      trainedTokens: this.#index.reduce((sum, { trainedTokens }) => sum + trainedTokens, 0),
      sha256: this.#hash.digest('hex'),
    };
  }

  /** Gives the file up as it is. */
  async abandon(): Promise<void> {
    await this.handle.close();
  }

  #append(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#buffered.push(bytes);
    this.#bufferedBytes += bytes.length;
    this.#bytes += bytes.length;
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#buffered);
    this.#buffered = [];
    this.#bufferedBytes = 0;
    await this.handle.appendFile(bytes);
  }
}
