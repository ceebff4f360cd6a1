/**
 * A dataset as tokens on the disk of this machine: its rows are fetched from the store and tokenised once, into a directory named
 * by everything that its content depends on. Training reads samples from there and never tokenises.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { NightstillError } from '../../config/errors.js';
import {
  openShards,
  parseJsonlRows,
  readConversations,
  writeShards,
  type Conversation,
  type ConversationEncoder,
  type LengthPolicy,
  type TokenShards,
} from '../../engine/index.js';
import { isJsonObject, readArtifact, readBlob, type ArtifactRef, type ObjectStore } from '../../storage/index.js';
import { cachedDirectory } from '../cached-directory.js';
import { rowFormat } from '../row.js';

export interface TokenRequest {
  readonly store: ObjectStore;
  /** Of kind `dataset`. */
  readonly dataset: ArtifactRef;
  readonly encoder: ConversationEncoder;
  /** Tokens that a sample may have. */
  readonly maximumTokens: number;
  readonly tooLong: LengthPolicy;
  readonly cacheDirectory: string;
  /** Called now and then with the rows that are tokenised, of how many. */
  readonly onRows: (done: number, of: number | undefined) => void;
}

/** Rows between two turns of the event loop. */
const rowsAtOnce = 32;
/** Raised when the same rows, encoder and settings give other shards. */
const cacheVersion = 2;

/** @throws artifact-invalid, dataset-empty, dataset-row-invalid, sample-too-long, object-missing, object-damaged */
export async function openTokens(request: TokenRequest): Promise<TokenShards> {
  const { dataset, encoder, maximumTokens, tooLong, cacheDirectory } = request;
  const { digest, templateDigest } = encoder;
  const identity = [cacheVersion, dataset.digest, digest, templateDigest, maximumTokens, tooLong];
  const name = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  const directory = await cachedDirectory(join(cacheDirectory, name), async (partial) => {
    await writeShards(partial, conversations(request), encoder, { maximumTokens, tooLong });
  });
  return openShards(directory);
}

/** Rows that cannot be trained on, such as those with tool calls, are passed over; the statistics count the `conversations` that are left. */
async function* conversations({ store, dataset, onRows }: TokenRequest): AsyncGenerator<Conversation> {
  let done = 0;
  for await (const conversation of readConversations(parseJsonlRows(bytesOf(store, dataset)), { unusable: 'skip' })) {
    yield conversation;
    if ((done += 1) % rowsAtOnce !== 0) continue;
    onRows(done, dataset.rows);
    await setImmediate();
  }
}

async function* bytesOf(store: ObjectStore, dataset: ArtifactRef): AsyncGenerator<Uint8Array> {
  const { kind, parts, meta } = await readArtifact(store, dataset);
  const format = isJsonObject(meta) ? meta['format'] : undefined;
  if (kind !== 'dataset' || format !== rowFormat)
    throw new NightstillError(
      'artifact-invalid',
      `${dataset.uri}: expected a dataset of the format ${rowFormat}, found ${kind} of ${JSON.stringify(format)}`,
    );
  for (const part of parts) yield await readBlob(store, part);
}
