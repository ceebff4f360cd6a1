/**
 * What a process may do with the stage it has claimed: restore, put blobs, save checkpoints, seal. Everything that counts is
 * a move of the head under this writer's claim; once another claim is on the head, every call throws `fence-lost`.
 *
 * A save goes: copy → hash → put blobs → describe them → put the manifest → move the head → describe the blobs again →
 * acknowledge. Saves commit in order; one is in flight, one waits, a newer one replaces the one that waits.
 */
import { performance } from 'node:perf_hooks';
import { NightstillError } from '../config/errors.js';
import { putArtifact, type ArtifactRef, type NewArtifact } from './artifacts.js';
import { putBlob, type BlobRef } from './blobs.js';
import { canonicalJson, isJsonObject, parseJson, type Json } from './canonical-json.js';
import { commitCheckpoint, type Checkpoint, type Moment } from './commit.js';
import { moveRecord, newOperationId } from './conditional.js';
import { headKind, type Head, type IsOpen } from './head.js';
import type { OwnedBytes } from './hashing.js';
import { headKey } from './layout.js';
import { isLater, readManifest, type Manifest, type ManifestRef, type StageOutcome } from './manifest.js';
import type { ObjectStore } from './object-store.js';
import { copyIntoPacks, spareOf, type CopiedGroup, type Group, type NamedArrays } from './packs.js';
import { damagedKey } from './quarantine.js';
import { readRecord, type ReadRecord } from './record.js';
import { restoreCheckpoint, type RestoredCheckpoint } from './restore.js';
import { isComplete, publishResult, type StageResult } from './results.js';

export interface NewCheckpoint {
  /** Greater than that of every save before, or that of the last one, where it has failed. */
  readonly step: number;
  readonly state: Json;
  /** Copied before `save` returns. */
  readonly arrays?: NamedArrays;
  /** Arrays that never change in the life of this writer, given to every save: copied and hashed by the first only. */
  readonly frozen?: NamedArrays;
  /** Blobs of `putBlob` that this checkpoint needs kept. */
  readonly references?: readonly BlobRef[];
  /** Called after every pack of arrays that the store has, for whoever must be seen alive. */
  readonly onPack?: () => void;
}

export interface SaveTicket {
  /**
   * `saved` once the checkpoint is durable and the head points to it; `superseded` when a newer save took its place before it
   * began. Rejects when it could not be written; the writer can still save again, the same step too, unless the code is
   * `fence-lost`.
   */
  readonly durable: Promise<'saved' | 'superseded'>;
}

interface PendingSave {
  readonly checkpoint: Checkpoint;
  /** Of a save of this step that has failed: its manifest may be there, and must have the same bytes. */
  readonly moment: Moment | undefined;
  /** Its buffers are free again when it has settled. */
  readonly copied: readonly CopiedGroup[];
  readonly settle: (outcome: 'saved' | 'superseded') => void;
  readonly fail: (error: unknown) => void;
}

export class StageWriter {
  readonly stageKey: string;
  readonly fence: number;
  /** The same for all claims that follow each other on a stage of a store, and for no others. */
  readonly lineage: string;
  readonly isOpen: IsOpen;
  readonly #store: ObjectStore;
  readonly #claim: string;
  #head: ReadRecord<Head>;
  /** The manifest that the head points to, once read or written: its blobs need no second upload. */
  #manifest: Manifest | undefined;
  /** What the next checkpoint follows and a damaged one falls back to: the last one known to be intact. */
  #base: ManifestRef | null;
  /** A copy until a save has committed it, then only its description. */
  #frozen: CopiedGroup | Group | undefined;
  /** Buffers of the last save, filled again by the next: memory holds one copy, two while a save waits. */
  #spare: OwnedBytes[] = [];
  #lastStep: number | undefined;
  /** The save of the last step, when it has failed. */
  #failed: Moment | undefined;
  #pending: PendingSave | undefined;
  #working: Promise<void> | undefined;
  #lost: NightstillError | undefined;
  readonly #startedAtMs = performance.now();
  /** A seal that is written again, after a failure, has the same bytes. */
  #sealedAtMs: number | undefined;
  /** Of the attempts whose work this one goes on with. */
  #workedBeforeMs = 0;
  /** Damaged objects for which checkpoints were given up, by this attempt and those before it. */
  #passedOver: readonly string[] = [];

  constructor(store: ObjectStore, head: ReadRecord<Head>, isOpen: IsOpen) {
    this.#store = store;
    this.isOpen = isOpen;
    this.#head = head;
    this.#claim = head.value.claim;
    this.#base = head.value.manifest;
    this.stageKey = head.value.stageKey;
    this.fence = head.value.fence;
    this.lineage = head.value.lineage ?? head.value.claim;
  }

  /**
   * The newest intact checkpoint, verified; undefined when there is none. Damaged objects are put aside and named in
   * `damaged`, and the parent is used.
   * @param onRead called after every blob, for whoever shows progress or must be seen alive
   * @throws fence-lost, store-unavailable, record-version-unknown
   */
  async restore(onRead?: (bytes: number) => void): Promise<RestoredCheckpoint | undefined> {
    const assertHeld = (): Promise<void> => this.assertHeld();
    const { restored, manifest, reference, passedOver } = await restoreCheckpoint(this.#store, this.#head.value, {
      assertHeld,
      onRead,
    });
    this.#manifest = manifest;
    this.#base = reference;
    this.#passedOver = passedOver;
    this.#lastStep = restored?.step;
    this.#workedBeforeMs = manifest?.workedMs ?? 0;
    return restored;
  }

  /** The state of the newest checkpoint, before anything of it is verified; undefined when there is none to be read. */
  async peek(): Promise<Json | undefined> {
    try {
      for (let next = this.#head.value.manifest; next;) {
        const { outcome, state, parent } = await readManifest(this.#store, next);
        if (!outcome) return state;
        next = parent;
      }
    } catch (error) {
      damagedKey(error); // restoring tells of it
    }
    return undefined;
  }

  /** Durable when it returns. Name it in the `references` of the next save, or collection takes it one grace later. */
  async putBlob(bytes: Uint8Array): Promise<BlobRef> {
    this.#throwIfLost();
    return putBlob(this.#store, bytes);
  }

  async putArtifact(artifact: NewArtifact): Promise<ArtifactRef> {
    this.#throwIfLost();
    return putArtifact(this.#store, artifact);
  }

  /**
   * Takes a copy of everything and returns; `durable` reports completion. Memory holds one copy of the arrays, two while a
   * save waits behind another.
   * @throws checkpoint-out-of-order, fence-lost, record-invalid for a state that JSON cannot say
   */
  save({ step, state, arrays, frozen, references = [], onPack }: NewCheckpoint): SaveTicket {
    this.#throwIfLost();
    const moment = step === this.#lastStep ? this.#failed : undefined;
    if (!Number.isSafeInteger(step) || (step <= (this.#lastStep ?? -1) && moment === undefined))
      throw new NightstillError(
        'checkpoint-out-of-order',
        `expected a step after ${this.#lastStep ?? -1}, found ${step}`,
      );
    const copy = { step, state: parseJson(canonicalJson(state)), references: [...references], outcome: null, onPack };
    this.#lastStep = step;
    this.#failed = undefined;
    if (this.#pending) {
      this.#pending.settle('superseded');
      this.#spare.push(...spareOf(this.#pending.copied));
    }
    const copied = arrays && arrays.size > 0 ? [copyIntoPacks(arrays, this.#spare)] : [];
    const groups = frozen ? [(this.#frozen ??= copyIntoPacks(frozen)), ...copied] : copied;
    const durable = new Promise<'saved' | 'superseded'>((settle, fail) => {
      this.#pending = { checkpoint: { ...copy, groups }, moment, copied, settle, fail };
    });
    durable.catch(() => undefined); // who does not look at `durable` learns of a lost fence from the next call
    this.#working ??= this.#work();
    return { durable };
  }

  /** Waits until nothing is in flight or waiting. */
  async drain(): Promise<void> {
    await this.#working;
    this.#throwIfLost();
  }

  /**
   * Ends the stage: writes the seal, moves the head to it, publishes the result record. Checkpoints that were passed over as
   * damaged are named in the observations. Called again, by the next attempt after a crash in between, it comes to the same result.
   * @throws fence-lost, nondeterministic-stage
   * @throws object-missing when the outcome names what is not in the store: it was put longer than a grace ago, and never
   * named by a checkpoint
   */
  async seal(product: StageOutcome): Promise<StageResult> {
    await this.drain();
    const outcome = withPassedOver(product, this.#passedOver);
    if (!(await isComplete(this.#store, { outcome })))
      throw new NightstillError(
        'object-missing',
        `stage ${this.stageKey}: expected every part of its outputs, found fewer`,
      );
    this.#sealedAtMs ??= performance.now();
    const { manifest, sealed } = this.#head.value;
    const step = 1 + (this.#lastStep ?? manifest?.step ?? 0);
    if (!sealed) await this.#commit({ step, state: null, groups: [], references: [], outcome }, this.#moment);
    this.#throwIfLost();
    const { stageKey, fence } = this;
    const recordedBy = this.#head.value.owner.workflowId;
    return publishResult(this.#store, { stageKey, fence, outcome, recordedBy, workedMs: this.#workedMs });
  }

  /** Reads the head again. @throws fence-lost */
  async assertHeld(): Promise<void> {
    const current = await readRecord(this.#store, headKind, headKey(this.stageKey));
    this.#heldHead(current?.value);
  }

  async #work(): Promise<void> {
    for (let next = this.#pending; next; next = this.#pending) {
      this.#pending = undefined;
      const moment = next.moment ?? this.#moment;
      try {
        await this.#commit(next.checkpoint, moment);
        next.settle('saved');
      } catch (error) {
        this.#frozen = undefined; // copied anew by the next save: who knows how far this copy came
        if (next.checkpoint.step === this.#lastStep) this.#failed = moment;
        next.fail(error);
      }
      this.#spare = spareOf(next.copied);
    }
    this.#working = undefined;
  }

  async #commit(checkpoint: Checkpoint, moment: Moment): Promise<void> {
    this.#throwIfLost();
    const { value: head } = this.#head;
    const commit = { checkpoint, head, ...moment, kept: this.#manifest, passedOver: this.#passedOver };
    this.#manifest = undefined; // until it is known how this ends, it is not known what the head keeps
    this.#manifest = await commitCheckpoint(this.#store, commit, (reference) =>
      this.#moveHead(reference, checkpoint.outcome !== null),
    );
    if (this.#frozen && checkpoint.groups[0] === this.#frozen) this.#frozen = this.#manifest.groups[0];
  }

  async #moveHead(reference: ManifestRef, sealed: boolean): Promise<void> {
    const moved = await moveRecord<Head>(this.#store, {
      kind: headKind,
      key: headKey(this.stageKey),
      operationId: newOperationId(),
      known: this.#head,
      decide: (current, moving) => {
        const head = this.#heldHead(current);
        const again = head.manifest?.key === reference.key;
        if (head.sealed && !again)
          throw new NightstillError('stage-sealed', `stage ${this.stageKey}: sealed, found another checkpoint to save`);
        if (!again && head.manifest && !isLater(reference, head.manifest))
          throw new NightstillError(
            'checkpoint-out-of-order',
            `stage ${this.stageKey}: expected a checkpoint after ${head.manifest.key}, found ${reference.key}`,
          );
        return { ...head, ...moving, manifest: reference, previous: again ? head.previous : this.#base, sealed };
      },
    });
    this.#base = reference;
    if (moved.value.claim === this.#claim) this.#head = moved;
    else this.#lose(moved.value); // ours was applied, and the claim of a successor is on top of it
  }

  /** The head, if it is ours to move. Once it is not, this writer is at its end. */
  #heldHead(current: Head | undefined): Head {
    if (current?.claim === this.#claim) return current;
    throw this.#lose(current);
  }

  #lose(current: Head | undefined): NightstillError {
    const found = current ? `fence ${current.fence} of attempt ${current.owner.attempt}` : 'no head';
    this.#lost = new NightstillError(
      'fence-lost',
      `stage ${this.stageKey}: expected fence ${this.fence}, found ${found}`,
    );
    return this.#lost;
  }

  get #moment(): Moment {
    return { base: this.#base, workedMs: this.#workedMs };
  }

  get #workedMs(): number {
    return this.#workedBeforeMs + Math.round((this.#sealedAtMs ?? performance.now()) - this.#startedAtMs);
  }

  #throwIfLost(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }
}

/** Among the observations, where these are an object: the facts are what they would have been. */
const withPassedOver = (outcome: StageOutcome, passedOver: readonly string[]): StageOutcome =>
  passedOver.length > 0 && isJsonObject(outcome.observations)
    ? { ...outcome, observations: { ...outcome.observations, damagedCheckpoints: [...passedOver] } }
    : outcome;
