/**
 * Answers as artifacts. The dataset holds prompts with their answers in the order of the prompts, and depends on nothing else:
 * neither on who answered nor when. The artifact `answers` beside it holds the fate of every request, with the text of its reply even
 * where that gives no row: a teacher is judged by it.
 */
import type { AnswerOptions } from '../../config/answer-options.js';
import {
  canonicalJson,
  type ArtifactPart,
  type ArtifactRef,
  type Digest,
  type JsonObject,
  type StageWriter,
} from '../../storage/index.js';
import { rowFormat } from '../row.js';
import { ShardCutter } from '../shard-cutter.js';
import { toUsd } from '../responses/index.js';
import type { Unanswered } from './ask.js';
import type { Outcome, Reply } from './chat-reply.js';
import type { PromptRow } from './prompt-rows.js';
import type { RecordedReply } from './recorded-reply.js';

/** `no-prompt`: the row holds nothing to answer. */
export type Fate = Outcome | Unanswered | 'no-prompt';

export interface FinishedRequest {
  readonly row: PromptRow;
  readonly sample: number;
  /** Absent where nothing was asked. */
  readonly key?: string | undefined;
  readonly fate: Fate;
  readonly reply?: RecordedReply | undefined;
}

export interface AnswerDatasetRequest {
  readonly writer: StageWriter;
  readonly options: AnswerOptions;
  readonly revision: string;
  /** Was the likeliest answer asked for? */
  readonly greedy: boolean;
  /** The dataset of the prompts. */
  readonly prompts: Digest;
}

/** Does it enter the dataset? What has no text never does: an answer may be cut off before it begins. */
export const isKept = (keep: AnswerOptions['keep'], fate: Fate, reply: Reply | undefined): boolean =>
  Boolean(reply?.text) && (fate === 'answered' || keep.some((kept) => kept === fate));

export const answersFormat = 'nightstill-answers-2';

export class AnswerDataset {
  readonly #rows: Shards;
  readonly #answers: Shards;

  constructor(private readonly request: AnswerDatasetRequest) {
    const { writer, options } = request;
    this.#rows = new Shards(writer, options.shardBytes);
    this.#answers = new Shards(writer, options.shardBytes);
  }

  async add(finished: FinishedRequest): Promise<void> {
    const { options, revision } = this.request;
    const { samples, keep } = options;
    const { row, sample, key, fate, reply } = finished;
    // With several samples every id has its number, so that no two rows share one.
    const id = samples === 1 ? row.id : `${row.id}#${sample}`;
    if (reply && isKept(keep, fate, reply)) await this.#rows.add(answeredRow(id, row, reply));
    await this.#answers.add({
      id,
      prompt: row.id,
      sample,
      fate,
      revision,
      ...(key !== undefined && { key }),
      ...(reply && {
        text: reply.text,
        finishReason: reply.finishReason,
        servedModel: reply.servedModel,
        ...reply.usage,
      }),
      ...(reply?.fingerprint !== undefined && { fingerprint: reply.fingerprint }),
      ...(reply?.cost !== undefined && { spentUsd: toUsd(reply.cost) }),
    });
  }

  async finish(): Promise<{ readonly dataset: ArtifactRef; readonly answers: ArtifactRef }> {
    const { writer, options, greedy, prompts } = this.request;
    const decoding = { sampling: greedy ? 'greedy' : 'random', maximumTokens: options.maximumTokens };
    const meta = { format: answersFormat, prompts, decoding };
    const [rows, answers] = [await this.#rows.finish(), await this.#answers.finish()];
    return {
      dataset: await writer.putArtifact({ kind: 'dataset', parts: rows, meta: { format: rowFormat } }),
      answers: await writer.putArtifact({ kind: 'answers', parts: answers, meta }),
    };
  }
}

const answeredRow = (id: string, { messages, extra }: PromptRow, { text }: Reply): JsonObject => ({
  id,
  messages: [...messages, { role: 'assistant', content: text }],
  ...(extra && { extra }),
});

/** Rows as JSONL in blobs, cut by their bytes alone. */
class Shards {
  readonly #cutter: ShardCutter;
  readonly #parts: ArtifactPart[] = [];

  constructor(
    private readonly writer: StageWriter,
    shardBytes: number,
  ) {
    this.#cutter = new ShardCutter(shardBytes);
  }

  async add(row: JsonObject): Promise<void> {
    this.#cutter.add(`${canonicalJson(row)}\n`);
    if (this.#cutter.full) await this.#close();
  }

  async finish(): Promise<readonly ArtifactPart[]> {
    if (!this.#cutter.empty) await this.#close();
    return this.#parts;
  }

  async #close(): Promise<void> {
    const { bytes, rows } = this.#cutter.take();
    this.#parts.push({ ...(await this.writer.putBlob(bytes)), rows });
  }
}
