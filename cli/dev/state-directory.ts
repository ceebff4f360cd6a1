/**
 * The state directory `.nightstill` of a working directory: the database of the embedded Temporal server, the default store,
 * logs, and the note of who serves from it. One process at a time does: the note is made by an exclusive create, and a note
 * whose process is gone is replaced.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

const noteSchema = z.object({
  pid: z.int(),
  /** Which verb serves: what stops when it ends. */
  verb: z.enum(['dev', 'run']),
  address: z.string(),
  userInterface: z.string(),
  queuePrefix: z.string(),
});
export type ServingNote = z.output<typeof noteSchema>;

export class StateDirectory {
  readonly path: string;

  constructor(workingDirectory: string) {
    this.path = join(workingDirectory, '.nightstill');
  }

  get storeUrl(): string {
    return pathToFileURL(join(this.path, 'store')).href;
  }

  get database(): string {
    return join(this.path, 'temporal.db');
  }

  get logs(): string {
    return join(this.path, 'logs');
  }

  get #note(): string {
    return join(this.path, 'serving.json');
  }

  async create(): Promise<void> {
    await mkdir(this.logs, { recursive: true });
    await writeFile(join(this.path, '.gitignore'), '*\n');
  }

  /** Who serves from here now; undefined for nobody, or for one that died. */
  async serving(): Promise<ServingNote | undefined> {
    const note = await this.#read();
    return note && isAlive(note.pid) ? note : undefined;
  }

  /** Takes the directory for this process: undefined, or who has it. */
  async take(note: ServingNote): Promise<ServingNote | undefined> {
    for (;;) {
      try {
        await writeFile(this.#note, JSON.stringify(note), { flag: 'wx' });
        return undefined;
      } catch (error) {
        if (!isThere(error)) throw error;
        const other = await this.serving();
        if (other) return other;
        await rm(this.#note, { force: true });
      }
    }
  }

  async leave(): Promise<void> {
    const note = await this.#read();
    if (note?.pid === process.pid) await rm(this.#note, { force: true });
  }

  async #read(): Promise<ServingNote | undefined> {
    try {
      return noteSchema.parse(JSON.parse(await readFile(this.#note, 'utf8')));
    } catch {
      return undefined;
    }
  }
}

const isThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
