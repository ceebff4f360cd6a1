/** A run written into a store node by node: artifacts, seals and records as stages leave them, without the work. */
import { linesOf, type ItemResult } from '../../evaluation/evaluate/item-result.js';
import {
  addRunStages,
  closeRun,
  digestOf,
  openRun,
  putPreimage,
  stageKeyOf,
  type ArtifactRef,
  type JsonObject,
  type ObjectStore,
} from '../../storage/index.js';
import { claim } from './stage.js';

/** Of every evaluation. */
export const items = 200;

interface Sealed {
  readonly content?: string;
  readonly kind?: string;
  readonly meta?: JsonObject;
  readonly facts?: JsonObject;
  readonly observations?: JsonObject;
  /** What the artifact is named with, as trainings name it that another machine went on with. */
  readonly resumedInexactlyAt?: readonly number[];
}

export class RecordedRun {
  readonly stages: Record<string, string> = {};

  constructor(
    readonly store: ObjectStore,
    readonly id: string,
  ) {}

  async node(
    node: string,
    preimage: JsonObject,
    output: string,
    {
      content = `${node} of ${this.id}`,
      kind = output,
      meta = {},
      facts = {},
      observations = {},
      ...note
    }: Sealed = {},
  ): Promise<ArtifactRef> {
    const stageKey = stageKeyOf(preimage);
    await putPreimage(this.store, preimage);
    const writer = await claim(this.store, stageKey);
    const part = await writer.putBlob(new Uint8Array(Buffer.from(content)));
    const artifact = { ...(await writer.putArtifact({ kind, parts: [part], meta })), ...note };
    await writer.seal({ preimage, outputs: { [output]: artifact }, facts, observations, reproducible: true });
    this.stages[node] = stageKey;
    return artifact;
  }

  model = (node: string, preimage: JsonObject, parameters: number): Promise<ArtifactRef> =>
    this.node(node, preimage, 'model', { meta: { facts: { parameters } } });

  /** @param right the items that it answers right; the others it answers with its own name */
  evaluation(
    node: string,
    model: ArtifactRef,
    right: (item: number) => boolean,
    {
      options = {},
      observations = {},
      decoding = {},
      facts = {},
      dataset = {},
    }: Readonly<Record<string, JsonObject>> = {},
  ): Promise<ArtifactRef> {
    const results = Array.from({ length: items }, (_, item): ItemResult => {
      const score = Number(right(item));
      const text = score === 1 ? `answer ${item}` : `${node} ${item}`;
      return {
        id: `row-${item}`,
        text,
        finish: 'stop',
        promptTokens: 20,
        generatedTokens: 10,
        scores: { 'exact-match': { score, detail: '' } },
      };
    });
    const inputs = { model: model.digest, dataset: digestOf('held-out'), ...dataset };
    const scores = { 'exact-match': { version: 1, kind: 'right-wrong' } };
    return this.node(node, { kind: 'evaluate', version: 1, options: { ...options, node }, inputs }, 'scores', {
      content: linesOf(results).toString(),
      facts: { scores, promptTokens: 20 * items, generatedTokens: 10 * items, decoding, ...facts },
      observations: { weightBytes: 4_000_000, sideBySide: 8, tokensPerSecond: 100, ...observations },
    });
  }

  async close(): Promise<void> {
    await openRun(this.store, { id: this.id, plan: 'nightly', planDigest: digestOf('plan') });
    await addRunStages(this.store, this.id, this.stages);
    await closeRun(this.store, this.id, { status: 'completed', nodes: [] });
  }
}
