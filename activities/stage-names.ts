/**
 * Lookups that come together write the record of their run together: it moves by compare-and-swap, and of many that move it at
 * once all but one would have to try again. What was written last is remembered, so that the next write needs no reading.
 */
import { addRunStages, type KnownRun, type ObjectStore, type Run } from '../storage/index.js';

interface Line {
  writing: Promise<unknown>;
  /** Written as soon as the write before has ended. */
  next?: { readonly stages: Record<string, string>; readonly written: Promise<Run> } | undefined;
}

/** Runs whose last write is remembered. */
const mostKnown = 50;

export class StageNames {
  readonly #known = new Map<string, KnownRun>();
  readonly #lines = new Map<string, Line>();

  /** @returns the record, after a write that named this stage */
  async add(store: ObjectStore, runId: string, node: string, stageKey: string): Promise<Run> {
    const key = JSON.stringify([store.url, runId]);
    const line: Line = this.#lines.get(key) ?? { writing: Promise.resolve() };
    this.#lines.set(key, line);
    if (line.next === undefined) {
      const stages: Record<string, string> = {};
      const written = line.writing.then(() => {
        line.next = undefined;
        const run = this.#write(key, store, runId, stages);
        line.writing = run.catch(() => undefined);
        return run;
      });
      line.next = { stages, written };
    }
    line.next.stages[node] = stageKey;
    try {
      return await line.next.written;
    } finally {
      if (line.next === undefined && this.#lines.get(key) === line) this.#lines.delete(key);
    }
  }

  async #write(key: string, store: ObjectStore, runId: string, stages: Record<string, string>): Promise<Run> {
    const known = this.#known.get(key);
    this.#known.delete(key);
    const written = await addRunStages(store, runId, stages, known);
    this.#known.set(key, written);
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostKnown && oldest !== undefined) this.#known.delete(oldest);
    return written.value;
  }
}
