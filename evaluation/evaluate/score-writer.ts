/**
 * Scored items into parts and an artifact, in the order of the set, going on from the last checkpoint of the stage. Where parts are
 * cut depends on nothing but their items: however often an evaluation was cut off, the artifact is the same.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { inexactResumes, type Fingerprint } from '../../engine/index.js';
import {
  blobRefSchema,
  PacedSaves,
  readBlob,
  type ArtifactRef,
  type Json,
  type ObjectStore,
  type PacedSave,
  type StageWriter,
} from '../../storage/index.js';
import { linesOf, parseLines, type ItemResult } from './item-result.js';

/** Items that a crash costs at most, beside those that came since the last checkpoint. */
const itemsOfPart = 16;

const scoresFormat = 'nightstill-scores-1';

const count = z.int().nonnegative();
const stateSchema = z.object({
  parts: z.array(z.object({ ...blobRefSchema.shape, rows: count })),
  /** Of the items, in their order, as far as it is known: measured before the first answer. */
  divergences: z.array(z.tuple([count, z.number()])).default([]),
  /** Of the items of these parts that were asked. States of before they were kept have none. */
  latenciesMs: z.array(z.number()).default([]),
  /** What the bits depend on beside the stage, as the process said it that wrote last. */
  fingerprint: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Items after which a machine went on that computes other bits. */
  resumedInexactlyAt: z.array(count),
});
type State = z.output<typeof stateSchema>;

export interface ScoreWriterRequest {
  readonly store: ObjectStore;
  readonly writer: StageWriter;
  readonly fingerprint: Fingerprint;
  readonly onDifferentMachine: 'continue' | 'wait';
  /** Called while an earlier attempt is taken up. */
  readonly onRead: () => void;
}

export class ScoreWriter {
  readonly #writer: StageWriter;
  readonly #results: ItemResult[];
  readonly #saves: PacedSaves;
  /** Of the items behind the last part. */
  readonly #openLatenciesMs: number[] = [];
  #state: State;

  private constructor({ writer }: ScoreWriterRequest, state: State, results: ItemResult[]) {
    this.#writer = writer;
    this.#state = state;
    this.#results = results;
    this.#saves = new PacedSaves(writer, stepOf(state));
  }

  /** @throws machine-differs where another machine is to be waited for; record-invalid, fence-lost, store-unavailable */
  static async resume(request: ScoreWriterRequest): Promise<ScoreWriter> {
    const { store, writer, fingerprint, onDifferentMachine, onRead } = request;
    const restored = await writer.restore(onRead);
    const before = restored && parseState(restored.state);
    const results: ItemResult[] = [];
    for (const part of before?.parts ?? []) {
      results.push(...parseLines(await readBlob(store, part)));
      onRead();
    }
    const resumedInexactlyAt = inexactResumes({
      before: before?.fingerprint ?? fingerprint,
      now: fingerprint,
      onDifferentMachine,
      at: results.length,
      did: `evaluated until item ${results.length}`,
      resumedInexactlyAt: before?.resumedInexactlyAt ?? [],
    });
    const { parts = [], divergences = [], latenciesMs = [] } = before ?? {};
    const state = { parts, divergences, latenciesMs, fingerprint, resumedInexactlyAt };
    return new ScoreWriter(request, state, results);
  }

  /** Of all items so far, those of earlier attempts too: the next one to add follows them in the set. */
  get results(): readonly ItemResult[] {
    return this.#results;
  }

  /** Of those of these items that were asked, each once, in any order. */
  get latenciesMs(): readonly number[] {
    return [...this.#state.latenciesMs, ...this.#openLatenciesMs];
  }

  /** Step of the last durable checkpoint. */
  get durable(): number {
    return this.#saves.durable;
  }

  /** Empty where the bits are those of one kind of machine. */
  get resumedInexactlyAt(): readonly number[] {
    return this.#state.resumedInexactlyAt;
  }

  /** Items whose divergence from the teacher is known. */
  get diverged(): number {
    return this.#state.divergences.length;
  }

  addDivergence({ tokens, sum }: { readonly tokens: number; readonly sum: number }): void {
    this.#state = { ...this.#state, divergences: [...this.#state.divergences, [tokens, sum]] };
    if (this.#saves.due) this.#saves.save(this.#checkpoint);
  }

  /** @param latencyMs of its answer, where it was asked for just now */
  async add(answered: ItemResult, latencyMs?: number): Promise<void> {
    const [tokens, sum] = this.#state.divergences[this.#results.length] ?? [];
    const result = tokens === undefined || sum === undefined ? answered : { ...answered, divergence: { tokens, sum } };
    this.#results.push(result);
    if (latencyMs !== undefined) this.#openLatenciesMs.push(toMicrosecond(latencyMs));
    if (this.#results.length % itemsOfPart !== 0) return;
    await this.#closePart(itemsOfPart);
    if (this.#saves.due) this.#saves.save(this.#checkpoint);
  }

  /** Every closed part is durable when it returns. @throws fence-lost and what saving fails with */
  saveNow(): Promise<void> {
    return this.#saves.saveNow(this.#checkpoint);
  }

  async finish(): Promise<ArtifactRef> {
    const rest = this.#results.length % itemsOfPart;
    if (rest > 0) await this.#closePart(rest);
    await this.#writer.drain();
    const { parts, resumedInexactlyAt } = this.#state;
    const note = resumedInexactlyAt.length > 0 ? { resumedInexactlyAt } : {};
    const meta = { format: scoresFormat, ...note };
    return { ...(await this.#writer.putArtifact({ kind: 'scores', parts, meta })), ...note };
  }

  async #closePart(rows: number): Promise<void> {
    const part = { ...(await this.#writer.putBlob(linesOf(this.#results.slice(-rows)))), rows };
    const { parts, latenciesMs } = this.#state;
    const nowKept = [...latenciesMs, ...this.#openLatenciesMs.splice(0)];
    this.#state = { ...this.#state, parts: [...parts, part], latenciesMs: nowKept };
  }

  get #checkpoint(): PacedSave {
    const references = this.#state.parts.map(({ digest, bytes }) => ({ digest, bytes }));
    return { parts: stepOf(this.#state), state: this.#state, references };
  }
}

/** Every checkpoint has all of them: no digits that say nothing. */
const toMicrosecond = (milliseconds: number): number => Number(milliseconds.toFixed(3));

/** Grows with all that is known of items. */
const stepOf = ({ parts, divergences }: State): number => parts.length + divergences.length;

function parseState(state: Json): State {
  const parsed = stateSchema.safeParse(state);
  if (parsed.success) return parsed.data;
  throw new NightstillError(
    'record-invalid',
    `expected the state of an evaluation, found ${parsed.error.issues[0]?.message}`,
  );
}
