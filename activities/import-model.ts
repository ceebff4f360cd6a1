/** The work of the stage `import-model`: the files of a model directory become an artifact. */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import { importModelDirectory, modelIdentitySchema, readModelFacts } from '../distillation/index.js';
import type { StageContext, StageProduct } from './stage.js';

const preimageSchema = z.looseObject({ options: z.looseObject({ model: modelIdentitySchema }) });

export async function importModel({
  options,
  preimage,
  store,
  writer,
  progress,
  signal,
}: StageContext<{ readonly model: string }>): Promise<StageProduct> {
  const identified = preimageSchema.safeParse(preimage);
  if (!identified.success)
    throw new NightstillError('plan-invalid', 'model: expected the identity of a directory, found none');
  const model = await importModelDirectory(options.model, {
    identity: identified.data.options.model,
    store,
    writer,
    signal,
    onProgress: ({ durableParts = 0, ...facts }) =>
      progress({
        phase: 'store',
        facts: { ...facts, unit: 'bytes' },
        ...(durableParts > 0 && { durable: { step: durableParts, fence: writer.fence } }),
      }),
  });
  return { outputs: { model }, facts: { bytes: model.bytes, ...(await readModelFacts(store, model)) } };
}
