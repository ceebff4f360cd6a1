/**
 * Conversations are tokenised once, into a directory of binary shards, so that training never tokenises. Equal conversations,
 * encoder and settings give equal bytes. A directory whose writing was cut off has no manifest and cannot be opened; writing
 * into it again begins anew.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NightstillError } from '../../config/errors.js';
import { isPartialOf, writeTextAtomically } from '../files/atomic-file.js';
import { writing } from '../files/output-error.js';
import type { Conversation } from './conversations.js';
import { fitSample, type LengthPolicy } from './length-policy.js';
import { areSpans, countTrained, type ConversationEncoder, type Sample } from './samples.js';
import { formatVersion, type ShardHeader } from './shard-format.js';
import { encodeManifest, manifestName, shardName, shardNamePattern } from './shard-manifest.js';
import type { ShardDescription, ShardStatistics } from './shard-manifest.js';
import { ShardWriter } from './shard-writer.js';

export interface ShardSettings {
  /** Tokens that a sample may have: the length of a row of a batch. */
  readonly maximumTokens: number;
  /** For samples that have more. Default: truncate. */
  readonly tooLong?: LengthPolicy;
  /** A shard that has grown to this size takes no further sample. Default: 256 MiB. */
  readonly shardBytes?: number;
}

const defaultShardBytes = 256 * 1024 * 1024;
/** Offsets have 32 bits; half of that leaves room for the last sample and the index. */
const maximumShardBytes = 2 ** 31;
const maximumTokensLimit = 2 ** 24;

/**
 * Writes the shards and returns what was written and what was not. Shards that were in the directory are removed first.
 * @throws dataset-empty, sample-too-long, dataset-row-invalid (ids or spans that the encoder must not give),
 *   training-setting-invalid, output-failed
 */
export async function writeShards(
  directory: string,
  conversations: AsyncIterable<Conversation> | Iterable<Conversation>,
  encoder: ConversationEncoder,
  { maximumTokens, tooLong = 'truncate', shardBytes = defaultShardBytes }: ShardSettings,
): Promise<ShardStatistics> {
  confirmSetting('maximumTokens', maximumTokens, 2, maximumTokensLimit);
  confirmSetting('shardBytes', shardBytes, 1, maximumShardBytes);
  const header = headerOf(encoder);
  await writing(directory, () => clear(directory));
  const statistics = new Counting();
  const output = new ShardSequence(directory, header, shardBytes);
  try {
    for await (const conversation of conversations) {
      const sample = encode(conversation, encoder);
      const pieces = fitSample(sample, maximumTokens, tooLong);
      statistics.addConversation(sample.ids.length > maximumTokens ? tooLong : undefined);
      for (const piece of pieces) if (statistics.addSample(piece)) await writing(directory, () => output.add(piece));
    }
    const { counts } = statistics;
    if (counts.samples === 0) throw empty(counts);
    const shards = [...(await writing(directory, () => output.finish()))];
    const manifest = encodeManifest({ version: formatVersion, header, statistics: counts, shards });
    await writeTextAtomically(join(directory, manifestName), manifest);
    return counts;
  } finally {
    await output.abandon();
  }
}

const empty = ({ conversations, dropped, untrained }: ShardStatistics): NightstillError =>
  new NightstillError(
    'dataset-empty',
    `expected at least one sample to train on, found none in ${conversations} conversations ` +
      `(${dropped} dropped as too long, ${untrained} with nothing to learn)`,
  );

function confirmSetting(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new NightstillError('training-setting-invalid', `${name}: expected ${least} to ${most}, found ${value}`);
}

const headerOf = ({ digest, templateDigest, vocabularySize }: ConversationEncoder): ShardHeader => {
  confirmSetting('vocabularySize', vocabularySize, 1, 2 ** 31);
  return { tokenizerDigest: digest, templateDigest, vocabularySize, idBits: vocabularySize <= 2 ** 16 ? 16 : 32 };
};

function encode(conversation: Conversation, encoder: ConversationEncoder): Sample {
  const { id } = conversation;
  const { ids, trained } = encoder.encodeConversation(conversation);
  const invalid = (expected: string, found: string) =>
    new NightstillError('dataset-row-invalid', `sample ${id}: expected ${expected}, found ${found}`);
  const foreign = ids.find((token) => token < 0 || token >= encoder.vocabularySize);
  if (foreign !== undefined) throw invalid(`token ids below ${encoder.vocabularySize}`, `${foreign}`);
  if (!areSpans(trained, ids.length)) throw invalid(`ascending spans within ${ids.length} tokens`, 'others');
  return { id, ids, trained };
}

async function clear(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await rm(join(directory, manifestName), { force: true });
  for (const name of await readdir(directory))
    if (shardNamePattern.test(name.replace(/\.partial$/, '')) || isPartialOf(name, manifestName))
      await rm(join(directory, name), { force: true });
}

class Counting {
  readonly counts = {
    conversations: 0,
    samples: 0,
    tokens: 0,
    trainedTokens: 0,
    longest: 0,
    truncated: 0,
    split: 0,
    dropped: 0,
    untrained: 0,
  };

  addConversation(tooLong: LengthPolicy | undefined): void {
    this.counts.conversations += 1;
    if (tooLong === 'truncate') this.counts.truncated += 1;
    if (tooLong === 'split') this.counts.split += 1;
    if (tooLong === 'drop-counted') this.counts.dropped += 1;
  }

  /** Is there something to learn in it? */
  addSample({ ids, trained }: Sample): boolean {
    const trainedTokens = countTrained(trained);
    if (trainedTokens === 0) {
      this.counts.untrained += 1;
      return false;
    }
    this.counts.samples += 1;
    this.counts.tokens += ids.length;
    this.counts.trainedTokens += trainedTokens;
    this.counts.longest = Math.max(this.counts.longest, ids.length);
    return true;
  }
}

class ShardSequence {
  readonly #finished: ShardDescription[] = [];
  #current: ShardWriter | undefined;

  constructor(
    private readonly directory: string,
    private readonly header: ShardHeader,
    private readonly shardBytes: number,
  ) {}

  async add(sample: Sample): Promise<void> {
    if (this.#current !== undefined && this.#current.bytes >= this.shardBytes) await this.finish();
    this.#current ??= await ShardWriter.create(this.directory, shardName(this.#finished.length), this.header);
    await this.#current.add(sample);
  }

  async finish(): Promise<readonly ShardDescription[]> {
    if (this.#current !== undefined) this.#finished.push(await this.#current.finish());
    this.#current = undefined;
    return this.#finished;
  }

  async abandon(): Promise<void> {
    await this.#current?.abandon();
    this.#current = undefined;
  }
}
