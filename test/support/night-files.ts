/** The names and files of a test of whole runs: everything it asks for is new, and lies in one temporary directory. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { jsonLines } from './datasets.js';

export class NightFiles {
  #named = 0;

  private constructor(readonly directory: string) {}

  static async create(): Promise<NightFiles> {
    return new NightFiles(await mkdtemp(join(tmpdir(), 'nightstill-night-')));
  }

  newRunId(): string {
    return `run-${(this.#named += 1)}`;
  }

  /** URL of an empty file store. */
  newStore(): string {
    return pathToFileURL(join(this.directory, `store-${(this.#named += 1)}`)).href;
  }

  /** Path of a dataset with this content. */
  async newDataset(content: string | Uint8Array = jsonLines(300_000)): Promise<string> {
    const path = join(this.directory, `rows-${(this.#named += 1)}.jsonl`);
    await writeFile(path, content);
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
