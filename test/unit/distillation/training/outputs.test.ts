import { readdir } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { storeStudent } from '../../../../distillation/training/outputs.js';
import { initialWeight } from '../../../../engine/models/initialise.js';
import { openObjectStore } from '../../../../storage/index.js';
import { modelDirectory } from '../../../support/model-directories.js';
import { claim, keysOf, stageKeyOf } from '../../../support/stage.js';
import { temporaryDirectory } from '../../../support/temporary.js';
import { tinyConfig, tinyTrainer } from '../../../support/tiny-run.js';

it('a model with a weight that is no number is never stored: the training diverged in its last step', async () => {
  const store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
  const trainer = await tinyTrainer();
  await trainer.load((name) => {
    const values = initialWeight(tinyConfig, name, { seed: 3, standardDeviation: 0.1 });
    return name === 'model.norm.weight' ? values.fill(Number.NaN, -1) : values;
  });
  const workDirectory = temporaryDirectory();
  const storing = storeStudent({
    store,
    writer: await claim(store, stageKeyOf('diverged')),
    trainer,
    student: {
      config: tinyConfig,
      weights: () => new Float32Array(),
      tokenizerDirectory: modelDirectory(),
      generationConfig: undefined,
      close: () => Promise.resolve(),
    },
    resumedInexactlyAt: [],
    workDirectory,
    stop: new AbortController().signal,
    alive: () => undefined,
  });
  await expect(storing).rejects.toMatchObject({
    code: 'training-diverged',
    message: 'expected finite weights after step 0, found NaN in model.norm.weight',
  });
  expect(await readdir(workDirectory)).toEqual([]);
  expect(await keysOf(store, 'blobs/')).toEqual([]);
  trainer.dispose();
  await store.close();
});
