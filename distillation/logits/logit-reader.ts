/**
 * Stored distributions for batches of a training. The artifact is fetched once into a local directory, verified; rows are found by
 * sample id and tokens, never by their order, so that shuffling and packing cannot pair a sample with the logits of another.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import type { Batch, Sample, SampleSource } from '../../engine/index.js';
import { readArtifact, type ArtifactIndex, type ArtifactRef, type ObjectStore } from '../../storage/index.js';
import { cacheFiles } from '../artifact-cache.js';
import { emptyRows, temperatureIndex, writeDistributions, type TeacherRows } from './distributions.js';
import { logitFormat, logitHeaderSchema, type LogitHeader } from './header.js';
import {
  decodeIndex,
  decodeRow,
  footerBytes,
  headerLength,
  invalidShard,
  parseHeader,
  prefixBytes,
  readIndexOffset,
  type StoredDistributions,
} from './shard-format.js';
import { rowKey, tokenHash } from './token-hash.js';

export interface LogitOptions {
  /** Of the student, when it is smaller than that of the teacher: ids from here on are cut off. */
  readonly vocabularySize?: number;
  /** Called after every part that is fetched, for whoever must be seen alive. */
  readonly onRead?: (bytes: number) => void;
}

export interface Logits {
  readonly k: number;
  readonly temperatures: readonly number[];
  readonly teacherDigest: string;
  readonly tokenizerDigest: string;
  readonly vocabularySize: number;
  /** Samples that it holds. */
  readonly rows: number;
  /**
   * The inputs of `topKObjective` for a batch: row n is about the token that follows token n. Rows without weight are filled with
   * ids that differ.
   * @throws logits-invalid when a sample is missing, its tokens are others, the temperature was not captured, or the student has
   *   none of the ids of a position that is learned
   */
  extra(batch: Pick<Batch, 'rows' | 'columns' | 'placements' | 'weights'>, temperature: number): Promise<TeacherInputs>;
  /**
   * Looks for every sample before any is needed, by id and tokens. Distributions are not read: one that is damaged, or of which the
   * student has no id, is refused when its batch comes.
   * @throws logits-invalid, with how many are not there
   */
  confirm(samples: Pick<SampleSource, 'samples' | 'read'>, onSample?: () => void): Promise<void>;
  close(): Promise<void>;
}

/** A type and not an interface: it is given where any named arrays are taken. */
export type TeacherInputs = { readonly [Name in keyof TeacherRows]: TeacherRows[Name] };

/**
 * @param cacheDirectory where artifacts are kept between runs; shared by processes
 * @throws artifact-invalid, logits-invalid, object-missing, object-damaged, store-unavailable, output-failed
 */
export async function openLogits(
  store: ObjectStore,
  artifact: ArtifactRef,
  cacheDirectory: string,
  { vocabularySize, onRead }: LogitOptions = {},
): Promise<Logits> {
  const index = await readArtifact(store, artifact);
  const header = headerOf(artifact, index);
  const students = Math.min(vocabularySize ?? header.vocabularySize, header.vocabularySize);
  if (header.k > students)
    throw new NightstillError('logits-invalid', `expected at most ${students} ids a position, found ${header.k}`);
  const files = index.parts.map((part, shard) => ({ name: shardName(shard), parts: [part] }));
  const directory = await cacheFiles({ store, artifact, files, cacheDirectory, onRead });
  const shards = await openShards(
    files.map(({ name }) => join(directory, name)),
    header,
  );
  return {
    k: header.k,
    temperatures: header.temperatures,
    teacherDigest: header.teacherDigest,
    tokenizerDigest: header.tokenizerDigest,
    vocabularySize: header.vocabularySize,
    rows: shards.rows.size,
    async extra({ rows, columns, placements, weights }, temperature) {
      temperatureIndex(header, temperature);
      const filled = emptyRows(rows * columns, header.k);
      for (const { row, start, sample } of placements) {
        const stored = await readRow(shards, header, sample);
        const reading = {
          place: `logits of sample "${sample.id}"`,
          header,
          temperature,
          vocabularySize: students,
          weights,
        };
        writeDistributions(stored, reading, filled, row * columns + start);
      }
      return filled;
    },
    confirm: (samples, onSample) => confirmAll(shards, samples, onSample),
    close: () => closeAll(shards.files),
  };
}

async function confirmAll(
  { rows }: Shards,
  { samples, read }: Pick<SampleSource, 'samples' | 'read'>,
  onSample: () => void = () => undefined,
): Promise<void> {
  const missing: Sample[] = [];
  for (let number = 0; number < samples; number++) {
    const sample = await read(number);
    if (!rows.has(keyOf(sample))) missing.push(sample);
    onSample();
  }
  const [first] = missing;
  if (first !== undefined) throw notCaptured(first, ` (so are ${missing.length} of ${samples} samples)`);
}

const keyOf = ({ id, ids }: Sample): string => rowKey(id, tokenHash(ids)).toString('latin1');

const notCaptured = ({ id, ids }: Sample, more: string): NightstillError =>
  new NightstillError(
    'logits-invalid',
    `sample "${id}": expected logits of its ${ids.length} tokens, found none: it was not captured, or with other tokens${more}`,
  );

const shardName = (shard: number): string => `logits-${String(shard).padStart(6, '0')}.bin`;

const metaSchema = z.looseObject({ format: z.literal(logitFormat), header: logitHeaderSchema });

function headerOf({ uri }: ArtifactRef, { kind, meta }: ArtifactIndex): LogitHeader {
  const parsed = metaSchema.safeParse(meta);
  if (kind === 'logits' && parsed.success) return parsed.data.header;
  throw new NightstillError(
    'artifact-invalid',
    `${uri}: expected logits of format ${logitFormat}, found another ${kind}`,
  );
}

interface Place {
  readonly file: number;
  readonly offset: number;
  readonly bytes: number;
}

interface Shards {
  readonly files: readonly FileHandle[];
  /** By key. */
  readonly rows: ReadonlyMap<string, Place>;
}

async function openShards(paths: readonly string[], header: LogitHeader): Promise<Shards> {
  const files: FileHandle[] = [];
  const rows = new Map<string, Place>();
  try {
    for (const [file, path] of paths.entries()) {
      const handle = await open(path);
      files.push(handle);
      for (const { key, offset, bytes } of await readShard(handle, path, header))
        rows.set(key.toString('latin1'), { file, offset, bytes });
    }
  } catch (error) {
    await closeAll(files);
    throw error;
  }
  return { files, rows };
}

async function readShard(handle: FileHandle, path: string, header: LogitHeader) {
  const { size } = await handle.stat();
  const length = headerLength(path, await readAt(handle, 0, Math.min(prefixBytes, size), path));
  const own = parseHeader(path, await readAt(handle, prefixBytes, length, path));
  if (JSON.stringify(own) !== JSON.stringify(header)) throw invalidShard(path, 'the header of its artifact', 'another');
  const footer = await readAt(handle, size - footerBytes, footerBytes, path);
  const offset = readIndexOffset(path, footer, size);
  return decodeIndex(path, await readAt(handle, offset, size - footerBytes - offset, path), offset);
}

async function readRow({ files, rows }: Shards, header: LogitHeader, sample: Sample): Promise<StoredDistributions> {
  const place = rows.get(keyOf(sample));
  const handle = place && files[place.file];
  if (place === undefined || handle === undefined) throw notCaptured(sample, '');
  const name = `logits of sample "${sample.id}"`;
  return decodeRow(name, await readAt(handle, place.offset, place.bytes, name), header, sample);
}

async function readAt(handle: FileHandle, position: number, length: number, path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.max(0, length));
  for (let filled = 0; filled < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, position + filled);
    if (bytesRead === 0) throw invalidShard(path, `${length} bytes from ${position} on`, 'fewer');
    filled += bytesRead;
  }
  return bytes;
}

async function closeAll(files: readonly FileHandle[]): Promise<void> {
  await Promise.all(files.map((file) => file.close()));
}
