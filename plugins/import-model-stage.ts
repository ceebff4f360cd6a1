/**
 * The stage kind `import-model`: a Hugging Face directory becomes an artifact of its files, so that every worker finds the same
 * bytes in the store, wherever it runs. A directory without weights is imported as well: training may begin with random ones.
 */
import { z } from 'zod';
import { defineStage } from './define-stage.js';
import { sourceUrlSchema } from '../config/source-url.js';

export const importModelStage = defineStage({
  kind: 'import-model',
  version: 1,
  options: z.strictObject({ model: sourceUrlSchema.describe('A directory as Hugging Face writes it.') }),
  outputs: { model: 'model' },
  sources: { model: 'model-directory' },
  run: async (context) => (await import('../activities/import-model.js')).importModel(context),
});
