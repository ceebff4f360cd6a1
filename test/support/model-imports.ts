/** Imports of model directories as the stage does them, each a stage of its own unless it is named. */
import { pathToFileURL } from 'node:url';
import { identifyModelDirectory, importModelDirectory, modelIdentitySchema } from '../../distillation/index.js';
import type { ArtifactRef, ObjectStore } from '../../storage/index.js';
import { claim, stageKeyOf } from './stage.js';

let stages = 0;

export const newStage = (): string => stageKeyOf(`model ${(stages += 1)}`);

export interface ModelAttempt {
  readonly stageKey?: string;
  readonly onProgress?: (done: number, abort: AbortController) => void;
}

export async function importModel(
  store: ObjectStore,
  directory: string,
  { stageKey = newStage(), onProgress }: ModelAttempt = {},
): Promise<ArtifactRef> {
  const abort = new AbortController();
  const url = pathToFileURL(directory).href;
  return importModelDirectory(url, {
    identity: modelIdentitySchema.parse(await identifyModelDirectory(url)),
    store,
    writer: await claim(store, stageKey),
    signal: abort.signal,
    onProgress: ({ done }) => onProgress?.(done, abort),
  });
}
