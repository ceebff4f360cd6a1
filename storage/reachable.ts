/**
 * What must be kept, marked from the roots: aliases with their history, unsealed heads with their last two manifests, run
 * records that are open or among the last closed ones (with the preimages by which they are explained), and young results. Anything that cannot be read or is of a newer
 * version ends the marking with an error: what we do not understand we do not judge.
 */
import { dirname } from 'node:path/posix';
import { NightstillError, hasCode } from '../config/errors.js';
import { aliasKind } from './aliases.js';
import { indexBlobOf, readArtifact, type ArtifactRef } from './artifacts.js';
import { headKind, rebuiltHead, type Head } from './head.js';
import { blobKey, headKey, preimageKey, prefixes, resultKey, stageKeyOf, type StageKey } from './layout.js';
import { blobsOfManifest, readManifest, type ManifestRef, type StageOutcome } from './manifest.js';
import type { ObjectDescription, ObjectStore } from './object-store.js';
import { readRecord, type ReadRecord, type RecordKind } from './record.js';
import { resultKind } from './results.js';
import { runKind, type Run } from './runs.js';

export interface Retention {
  /** Nothing younger is touched, by the store's clock. */
  readonly graceMs: number;
  /** How many closed runs keep their results. */
  readonly closedRuns: number;
}

export type Youth = (object: Pick<ObjectDescription, 'modifiedAtMs'>) => boolean;

export class Reachable {
  /** Keys that stay. */
  readonly keys = new Set<string>();
  readonly #store: ObjectStore;
  readonly #isYoung: Youth;
  readonly #graceMs: number;

  private constructor(store: ObjectStore, isYoung: Youth, graceMs: number) {
    this.#store = store;
    this.#isYoung = isYoung;
    this.#graceMs = graceMs;
  }

  static async mark(store: ObjectStore, isYoung: Youth, { graceMs, closedRuns }: Retention): Promise<Reachable> {
    const reachable = new Reachable(store, isYoung, graceMs);
    const trainings = await reachable.#markAliases();
    const wanted = await reachable.#stagesOfRuns(closedRuns);
    for (const stageKey of trainings) wanted.add(stageKey);
    await reachable.#markResults(wanted);
    await reachable.#markHeads(wanted);
    await reachable.#markHeadless();
    return reachable;
  }

  /** @returns the trainings that what serves came from: where nights begin with what serves, they must find them */
  async #markAliases(): Promise<Set<string>> {
    const trainings = new Set<string>();
    for await (const { key } of this.#store.list(prefixes.models)) {
      const { value } = await this.#read(aliasKind, key);
      this.keys.add(key);
      for (const { model, card } of [value.current, ...value.history]) {
        await this.#markArtifact(model);
        if (card) await this.#markArtifact(card);
      }
      if (value.current.trainedBy !== undefined) trainings.add(value.current.trainedBy);
    }
    return trainings;
  }

  /** All run records stay; the result is the stage keys of those that keep their results. Those of before only explain. */
  async #stagesOfRuns(closedRuns: number): Promise<Set<string>> {
    const closed: { readonly modifiedAtMs: number; readonly run: Run }[] = [];
    const wanted = new Set<string>();
    const keep = ({ stages, before }: Run): void => {
      for (const stageKey of Object.values(stages)) wanted.add(stageKey);
      for (const stageKey of [...Object.values(stages), ...Object.values(before)]) this.keys.add(preimageKey(stageKey));
    };
    for await (const { key, modifiedAtMs } of this.#store.list(prefixes.runs)) {
      const { value } = await this.#read(runKind, key);
      this.keys.add(key);
      if (value.status === 'open') keep(value);
      else closed.push({ modifiedAtMs, run: value });
    }
    closed.sort((a, b) => b.modifiedAtMs - a.modifiedAtMs);
    for (const { run } of closed.slice(0, closedRuns)) keep(run);
    return wanted;
  }

  async #markResults(wanted: ReadonlySet<string>): Promise<void> {
    for await (const object of this.#store.list(prefixes.results)) {
      const { value } = await this.#read(resultKind, object.key);
      const stays = wanted.has(value.stageKey) || this.#isYoung(object);
      if (stays) this.keys.add(object.key);
      // A record goes first, its blobs one grace later: somebody may have read it just before.
      if (stays || this.#graceMs > 0) await this.#markOutputs(value.outcome);
    }
    for await (const object of this.#store.list(prefixes.removed)) {
      // A run may have looked the result up right before it went.
      if (!this.#isYoung(object) && !wanted.has(stageKeyOf(prefixes.removed, object.key) ?? '')) continue;
      this.keys.add(object.key);
      await this.#markOutputs((await this.#read(resultKind, object.key)).value.outcome);
    }
  }

  /** An output whose index is gone has no parts to keep: its stage will run again. */
  async #markOutputs({ outputs }: StageOutcome): Promise<void> {
    for (const artifact of Object.values(outputs)) {
      try {
        await this.#markArtifact(artifact);
      } catch (error) {
        if (!hasCode(error, 'object-missing')) throw error;
      }
    }
  }

  /** Every head stays. A sealed one keeps its seal while its result stays, or while somebody may yet copy it. */
  async #markHeads(wanted: ReadonlySet<string>): Promise<void> {
    for await (const object of this.#store.list(prefixes.heads)) {
      const { value } = await this.#read(headKind, object.key);
      this.keys.add(object.key);
      const stageKey = stageKeyOf(prefixes.heads, object.key) ?? '';
      if (!value.sealed) {
        await this.#markLatest(value);
      } else if (this.#isYoung(object) || wanted.has(stageKey) || this.keys.has(resultKey(stageKey))) {
        await this.#markManifest(value.manifest);
      }
    }
  }

  /** A head that was lost or put aside is rebuilt by the next claim, from its latest two manifests. */
  async #markHeadless(): Promise<void> {
    const headless = new Set<StageKey>();
    for await (const { key } of this.#store.list(prefixes.checkpoints)) {
      const stageKey = stageKeyOf(prefixes.checkpoints, dirname(key));
      if (stageKey && !this.keys.has(headKey(stageKey))) headless.add(stageKey);
    }
    for (const stageKey of headless) {
      const head = await rebuiltHead(this.#store, stageKey);
      if (head) await this.#markLatest(head);
    }
  }

  async #markLatest({ manifest, previous }: Pick<Head, 'manifest' | 'previous'>): Promise<void> {
    await this.#markManifest(manifest);
    await this.#markManifest(previous);
  }

  /** One that is gone (a seal that was collected, damage that was put aside) has nothing to keep. */
  async #markManifest(reference: ManifestRef | null): Promise<void> {
    if (!reference || this.keys.has(reference.key)) return;
    const manifest = await readManifest(this.#store, reference).catch((error: unknown) => {
      if (hasCode(error, 'object-missing')) return undefined;
      throw error;
    });
    if (!manifest) return;
    this.keys.add(reference.key);
    for (const { digest } of blobsOfManifest(manifest)) this.keys.add(blobKey(digest));
    if (manifest.outcome) await this.#markOutputs(manifest.outcome);
  }

  /** @throws object-missing, object-damaged */
  async #markArtifact(artifact: ArtifactRef): Promise<void> {
    const key = blobKey(indexBlobOf(artifact).digest);
    if (this.keys.has(key)) return;
    const { parts } = await readArtifact(this.#store, artifact);
    this.keys.add(key);
    for (const { digest } of parts) this.keys.add(blobKey(digest));
  }

  async #read<Value>(kind: RecordKind<Value>, key: string): Promise<ReadRecord<Value>> {
    const read = await readRecord(this.#store, kind, key);
    if (read) return read;
    throw new NightstillError('object-missing', `${key}: listed, and gone when it was read`, { details: { key } });
  }
}
