/** The work of the stage `import-model`: the files of a model directory become an artifact. */
import { storeModelDirectory } from '../distillation/index.js';
import type { StageContext, StageProduct } from './stage.js';

export async function importModel({
  options,
  store,
  writer,
  progress,
  signal,
}: StageContext<{ readonly model: string }>): Promise<StageProduct> {
  const model = await storeModelDirectory(options.model, {
    store,
    writer,
    signal,
    onProgress: (facts) => progress({ phase: 'store', facts: { ...facts, unit: 'bytes' } }),
  });
  return { outputs: { model }, facts: { bytes: model.bytes } };
}
