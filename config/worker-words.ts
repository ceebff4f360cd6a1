/**
 * When workers last spoke, by the clock of whoever listens: a word is new when it differs from the one before, whatever the clock of
 * the worker says. Of a word that was there at the first look only the worker's clock tells how old it is. One that speaks often
 * and by that clock has fallen silent is in doubt, for as long as it would take a live one to speak twice. Pure.
 */
import { isSilent, type WorkerSighting } from './queue-health.js';

interface Heard {
  readonly saidAtMs: number;
  readonly heardAtMs: number;
  readonly doubtedUntilMs: number;
}

/** Clocks that differ by less than a minute do no harm to workers that speak once a minute, and nobody waits that long. */
const longestDoubtedIntervalMs = 5000;

export class WorkerWords {
  /** By key. */
  readonly #heard = new Map<string, Heard>();
  #lookedAtMs = -Infinity;

  /** @param workers as they are listed now. Those that are listed no more are forgotten. */
  heard(workers: readonly WorkerSighting[], nowMs: number): WorkerSighting[] {
    const listed = new Set(workers.map(({ key }) => key));
    for (const key of this.#heard.keys()) if (!listed.has(key)) this.#heard.delete(key);
    const words = workers.map((worker) => this.#heardOf(worker, nowMs));
    this.#lookedAtMs = nowMs;
    return words;
  }

  #heardOf(worker: WorkerSighting, nowMs: number): WorkerSighting {
    const known = this.#heard.get(worker.key);
    const heard =
      known === undefined
        ? firstWord(worker, nowMs)
        : known.saidAtMs === worker.saidAtMs
          ? known
          : newWord(worker, this.#lookedAtMs, nowMs);
    this.#heard.set(worker.key, heard);
    const { heardAtMs, doubtedUntilMs } = heard;
    return { ...worker, saidAtMs: heardAtMs, ...(!worker.ending && nowMs < doubtedUntilMs && { inDoubt: true }) };
  }
}

/** Said since the look before: where the clock of the worker says otherwise, it is wrong. */
function newWord({ saidAtMs, intervalMs }: WorkerSighting, lookedAtMs: number, nowMs: number): Heard {
  const earliestMs = Math.max(lookedAtMs, nowMs - intervalMs);
  return { saidAtMs, heardAtMs: Math.min(Math.max(saidAtMs, earliestMs), nowMs), doubtedUntilMs: 0 };
}

function firstWord(worker: WorkerSighting, nowMs: number): Heard {
  const { saidAtMs, intervalMs } = worker;
  const isDoubted = intervalMs <= longestDoubtedIntervalMs && isSilent(worker, nowMs);
  const doubtedUntilMs = isDoubted ? nowMs + 2 * intervalMs : 0;
  return { saidAtMs, heardAtMs: Math.min(saidAtMs, nowMs), doubtedUntilMs };
}
