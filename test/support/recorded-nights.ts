/** Nights as a store records them, for reports: a teacher, a student, and the student taught in one way or several. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promoteStudent } from '../../activities/promote.js';
import { report, type RunReport } from '../../client/index.js';
import {
  digestOf,
  openObjectStore,
  stageKeyOf,
  type ArtifactRef,
  type JsonObject,
  type ObjectStore,
} from '../../storage/index.js';
import { RecordedRun } from './recorded-run.js';
import { claim } from './stage.js';
import { temporaryDirectory } from './temporary.js';

export interface RecordedNight {
  readonly recorded: RecordedRun;
  readonly teacher: ArtifactRef;
  readonly sft: ArtifactRef;
}

export class RecordedNights {
  /** So that no two of one store hold the same. */
  count = 0;

  private constructor(
    readonly store: ObjectStore,
    readonly url: string,
  ) {}

  /** In a store of their own. */
  static async open(): Promise<RecordedNights> {
    const url = pathToFileURL(join(temporaryDirectory(), 'store')).href;
    return new RecordedNights(await openObjectStore(url, { forWriting: true }), url);
  }

  close(): Promise<void> {
    return this.store.close();
  }

  /** What every night has: a teacher that is right on 180 of 200, a student, and the student fine-tuned. */
  async begin(): Promise<RecordedNight> {
    this.count += 1;
    const recorded = new RecordedRun(this.store, `night-${this.count}`);
    const imported = (model: string) => ({ kind: 'import-model', options: { model, run: this.count } });
    const teacher = await recorded.model('large', imported('t'), 4_000_000);
    const base = await recorded.model('small', imported('s'), 1_000_000);
    const dataset = digestOf(`rows of ${this.count}`);
    const inputs = { model: base.digest, dataset };
    const sft = await recorded.model('first', { kind: 'fine-tune', options: {}, inputs }, 1_000_000);
    await recorded.evaluation('of-large', teacher, (item) => item < 180, {
      observations: { latencyP50Ms: 80, latencyP95Ms: 120, tokensPerSecond: 10 },
    });
    await recorded.evaluation('of-small', base, () => false);
    return { recorded, teacher, sft };
  }

  /**
   * A distilled student right on the first 150 items, and a control right on as many as said, counted from the second. The student is
   * promoted, if there is a name for it.
   */
  async compared(rightOfControl: number, optionsOfControl: JsonObject = {}, name?: string): Promise<RunReport> {
    const begun = await this.begin();
    const { recorded } = begun;
    const kd = await lesson(begun, 'second', { steps: 50 });
    const ce = await lesson(begun, 'other', { steps: 50, crossEntropyShare: 1, ...optionsOfControl });
    await recorded.evaluation('of-second', kd, (item) => item < 150);
    await recorded.evaluation('of-other', ce, (item) => item > 0 && item <= rightOfControl);
    if (name !== undefined) await this.#promote(recorded, kd, name);
    await recorded.close();
    return report({ runId: recorded.id, store: this.url });
  }

  /** By the stages that do, on a verdict of one requirement. */
  async #promote(recorded: RecordedRun, model: ArtifactRef, name: string): Promise<void> {
    const reason = 'pass: exact-match: 0.75 on 200 items is at least 0.6';
    const comparisons = [
      {
        requirement: { score: 'exact-match', atLeast: 0.6, minItems: 100 },
        outcome: 'pass',
        items: 200,
        mean: 0.75,
        ownInterval: { lower: 0.69, upper: 0.81, level: 0.95 },
        reason,
      },
    ];
    const decided = { verdict: 'pass', reasons: [reason], comparisons, name, alias: 'champion' };
    const record = { version: 1, ...decided, candidate: model.digest, champion: null };
    const content = JSON.stringify({ ...record, read: {}, scores: [] });
    const verdict = await recorded.node('gate', { kind: 'gate', run: this.count }, 'verdict', { content });
    const preimage = { kind: 'promote', run: this.count };
    const { outputs, facts } = await promoteStudent({
      options: {},
      inputs: { model, verdict, dataset: undefined, trained: undefined },
      makers: {},
      preimage,
      runId: recorded.id,
      store: this.store,
      writer: await claim(this.store, stageKeyOf(preimage)),
      progress: () => undefined,
      signal: new AbortController().signal,
    });
    await recorded.node('promote', { ...preimage, sealed: true }, 'promotion', {
      content: outputs.promotion.digest,
      facts: facts as JsonObject,
    });
  }
}

/** What distillation makes of the fine-tuned student. */
export async function lesson(
  { recorded, teacher, sft }: RecordedNight,
  node: string,
  options: JsonObject,
): Promise<ArtifactRef> {
  const inputs = { model: sft.digest, teacher: teacher.digest, dataset: digestOf('rows') };
  return recorded.model(node, { kind: 'distill', version: 1, options, inputs }, 1_000_000);
}
