/**
 * The import of a model directory: looked over, then copied, going on from the last checkpoint. A checkpoint names every part that
 * is in the store, so that the next attempt puts only the others and collection takes none.
 */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import { PacedSaves, type ArtifactRef, type Json, type PacedSave } from '../storage/index.js';
import { storedFileSchema, storeModel, type ModelCopy, type StoredFile } from './model-artifact.js';
import { openModelSource, type ModelIdentity } from './model-source.js';

export interface ModelImport extends ModelCopy {
  /** The version of the directory that is to be imported; any other is refused. */
  readonly identity: ModelIdentity;
  readonly onProgress: (progress: ModelImportProgress) => void;
}

export interface ModelImportProgress {
  /** Bytes. */
  readonly done: number;
  readonly of: number;
  /** Parts that are in the last durable checkpoint; 0 before the first. */
  readonly durableParts?: number;
}

const stateSchema = z.object({ files: z.array(storedFileSchema) });

/**
 * @throws model-file-missing, model-changed, model-config-invalid, model-unsupported, model-weights-mismatch,
 *   safetensors-invalid, tokenizer-invalid; fence-lost, store-unavailable, and whatever the reason of `signal` is
 */
export async function importModelDirectory(url: string, request: ModelImport): Promise<ArtifactRef> {
  const { identity, writer, signal, onProgress } = request;
  const source = await openModelSource(url);
  try {
    const restored = await writer.restore(() => onProgress({ done: 0, of: 0 }));
    const before = restored === undefined ? [] : parseState(restored.state);
    const saves = new PacedSaves(writer, partsOf(before).length);
    let files: readonly StoredFile[] = before;
    const checkpoint = (): PacedSave => {
      const parts = partsOf(files);
      return { parts: parts.length, state: stateOf(files), references: parts };
    };
    try {
      const copy = {
        ...request,
        onProgress: (at: ModelImportProgress) => onProgress({ ...at, durableParts: saves.durable }),
      };
      const model = await storeModel(source, identity, copy, {
        before,
        onPart(stored) {
          files = stored;
          if (saves.due) saves.save(checkpoint());
        },
      });
      await writer.drain();
      return model;
    } catch (error) {
      if (signal.aborted) await saves.saveNow(checkpoint());
      throw error;
    }
  } finally {
    await source.close();
  }
}

const partsOf = (files: readonly StoredFile[]) => files.flatMap(({ parts }) => parts);

const stateOf = (files: readonly StoredFile[]): Json => ({
  files: files.map(({ name, parts }) => ({ name, parts: parts.map(({ digest, bytes }) => ({ digest, bytes })) })),
});

/** @throws record-invalid */
function parseState(state: Json): readonly StoredFile[] {
  const parsed = stateSchema.safeParse(state);
  if (parsed.success) return parsed.data.files;
  throw new NightstillError(
    'record-invalid',
    `expected the state of an import, found ${parsed.error.issues[0]?.message}`,
  );
}
