/** What a training leaves: the student as a model that others load, and the metrics of its steps. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { NightstillError } from '../../config/errors.js';
import { writeModelDirectory, type Trainer } from '../../engine/index.js';
import type { ArtifactRef, ObjectStore, StageWriter } from '../../storage/index.js';
import { storeModelDirectory } from '../model-artifact.js';
import type { Student } from './student.js';
import type { TrainingCheckpoint } from './training-checkpoint.js';

export interface StudentOutput {
  readonly store: ObjectStore;
  readonly writer: StageWriter;
  readonly trainer: Trainer;
  readonly student: Student;
  /** Where it is not empty, the artifact of the model carries it. */
  readonly resumedInexactlyAt: readonly number[];
  /** The files lie here until they are in the store. */
  readonly workDirectory: string;
  readonly stop: AbortSignal;
  readonly alive: () => void;
}

/**
 * Weights are written in float32, as they were trained: the next stage goes on from the same numbers.
 * @throws training-diverged for a weight that is no finite number
 */
export async function storeStudent(output: StudentOutput): Promise<ArtifactRef> {
  const { store, writer, trainer, student, resumedInexactlyAt, stop, alive } = output;
  const directory = await placeOf(output);
  try {
    await writeModelDirectory(directory, {
      config: student.config,
      values: (name) => {
        alive();
        return readFinite(name, trainer);
      },
      tokenizerFrom: student.tokenizerDirectory,
      generationConfig: student.generationConfig,
    });
    const model = await storeModelDirectory(pathToFileURL(directory).href, {
      store,
      writer,
      signal: stop,
      onProgress: alive,
      meta: noteOf(resumedInexactlyAt),
    });
    return { ...model, ...noteOf(resumedInexactlyAt) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * A step's loss is computed before its update, so no loss has ever been computed with the weights that the last step made.
 * @throws training-diverged
 */
function readFinite(name: string, trainer: Trainer): Float32Array {
  const values = trainer.read(name);
  for (const value of values) {
    if (Number.isFinite(value)) continue;
    const found = `expected finite weights after step ${trainer.step}, found ${value} in ${name}`;
    throw new NightstillError('training-diverged', found, { details: { step: trainer.step, tensor: name } });
  }
  return values;
}

/**
 * A directory for each claim; those that killed claims have left are removed. They are named by the lineage of the claims and not by the
 * stage key, since another project on this host may work on the same stage in a store of its own.
 */
export async function placeOf({
  workDirectory,
  writer: { lineage, fence },
}: {
  readonly workDirectory: string;
  readonly writer: Pick<StageWriter, 'lineage' | 'fence'>;
}): Promise<string> {
  await mkdir(workDirectory, { recursive: true });
  for (const name of await readdir(workDirectory)) {
    const [, of, other] = /^\.?([0-9a-f-]{36})-(\d+)/.exec(name) ?? [];
    if (of === lineage && Number(other) <= fence) await rm(join(workDirectory, name), { recursive: true, force: true });
  }
  return join(workDirectory, `${lineage}-${fence}`);
}

export async function storeMetrics(
  writer: StageWriter,
  { metrics: { rows }, resumedInexactlyAt }: TrainingCheckpoint,
): Promise<ArtifactRef> {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const part = { ...(await writer.putBlob(new TextEncoder().encode(text))), rows: rows.length };
  const note = noteOf(resumedInexactlyAt);
  const meta = { format: 'nightstill-metrics-1', ...note };
  return { ...(await writer.putArtifact({ kind: 'metrics', parts: [part], meta })), ...note };
}

/** Said in an artifact and in every reference to it, where machines that compute different bits have made it. */
const noteOf = (resumedInexactlyAt: readonly number[]): { resumedInexactlyAt?: number[] } =>
  resumedInexactlyAt.length > 0 ? { resumedInexactlyAt: [...resumedInexactlyAt] } : {};
