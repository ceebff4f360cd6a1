/**
 * A training state as one file: safetensors, with the progress as JSON in its metadata. It is there complete or as it was before,
 * whenever the writer dies. Nothing in it says whether bytes were changed later: that is for whoever keeps it.
 */
import { NightstillError } from '../../config/errors.js';
import { openSafetensors } from '../files/safetensors.js';
import { float32Tensor, writeSafetensors } from '../files/safetensors-writer.js';
import type { TensorSpecs } from '../tracing/trace.js';
import { parseProgress, type TrainingState } from './training-state.js';

const format = 'nightstill-training-state';

/** Replaces what is there in one step. */
export async function writeTrainingState(path: string, { progress, specs, read }: TrainingState): Promise<void> {
  const tensors = Object.entries(specs).map(([name, { shape }]) =>
    float32Tensor(name, shape, async () => {
      const values = await read(name, 0, shape[0] ?? 1);
      if (values instanceof Float32Array) return values;
      throw new TypeError(`expected ${name} in float32`);
    }),
  );
  await writeSafetensors(path, tensors, { format, progress: JSON.stringify(progress) });
}

export interface StoredState extends TrainingState {
  readonly close: () => Promise<void>;
}

/**
 * Tensors are read one by one as they are asked for.
 * @throws model-file-missing, safetensors-invalid, training-state-invalid when it is a file of another kind
 */
export async function openTrainingState(path: string): Promise<StoredState> {
  const file = await openSafetensors(path);
  try {
    if (file.metadata['format'] !== format)
      throw new NightstillError('training-state-invalid', `expected a training state in ${path}, found another file`);
    const specs: TensorSpecs = Object.fromEntries(
      file.names.map((name) => [name, { shape: file.describe(name).shape, dtype: 'float32' }] as const),
    );
    const progress = parseProgress(parseJson(file.metadata['progress'] ?? '', path));
    return { progress, specs, read: file.readFloat32Rows, close: file.close };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NightstillError('training-state-invalid', `expected progress in JSON in ${path}, found another text`, {
      cause,
    });
  }
}
