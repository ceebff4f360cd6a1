import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '../../../../engine/files/safetensors.js';
import { writeSafetensors } from '../../../../engine/files/safetensors-writer.js';
import { openTrainingState, writeTrainingState } from '../../../../engine/training/state-file.js';
import { parseProgress } from '../../../../engine/training/training-state.js';
import { temporaryDirectory } from '../../../support/temporary.js';
import { drawnTargets, eventsOf, tinyTrainer } from '../../../support/tiny-run.js';

describe('the file of a training state', () => {
  test('written in the midst of a step, it restores every bit into another run', async () => {
    const path = join(temporaryDirectory(), 'state.safetensors');
    const trainer = await tinyTrainer(drawnTargets());
    for await (const event of trainer.run(3))
      if (event.kind === 'micro-batch' && event.step === 2) await writeTrainingState(path, trainer.capture());
    const stored = await openTrainingState(path);
    expect(stored.progress).toMatchObject({ step: 2, microBatch: 1 });
    const resumed = await tinyTrainer(drawnTargets());
    expect(await resumed.restore(stored)).toEqual([]);
    await stored.close();
    await eventsOf(resumed, 3);
    const [expected, found] = [trainer.capture(), resumed.capture()];
    expect(found.progress).toEqual(expected.progress);
    for (const [name, values] of Object.entries(expected.tensors)) expect(found.tensors[name]).toEqual(values);
    trainer.dispose();
    resumed.dispose();
  });

  test('equal states are equal bytes, and other tools can read the weights', async () => {
    const directory = temporaryDirectory();
    const trainer = await tinyTrainer();
    const state = trainer.capture();
    await writeTrainingState(join(directory, 'a'), state);
    await writeTrainingState(join(directory, 'b'), state);
    expect(readFileSync(join(directory, 'a')).equals(readFileSync(join(directory, 'b')))).toBe(true);
    const file = await openSafetensors(join(directory, 'a'));
    expect(await file.readFloat32('model.norm.weight')).toEqual(trainer.read('model.norm.weight'));
    await file.close();
    trainer.dispose();
  });

  test('a file of another kind, another progress and a cut file are refused', async () => {
    const path = join(temporaryDirectory(), 'state');
    await expect(openTrainingState(path)).rejects.toMatchObject({ code: 'model-file-missing' });
    for (const metadata of [
      {},
      { format: 'nightstill-training-state' },
      { format: 'nightstill-training-state', progress: '{"version":2}' },
    ]) {
      await writeSafetensors(path, [], metadata);
      await expect(openTrainingState(path)).rejects.toMatchObject({ code: 'training-state-invalid' });
    }
    const trainer = await tinyTrainer();
    await writeTrainingState(path, trainer.capture());
    trainer.dispose();
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    await expect(openTrainingState(path)).rejects.toMatchObject({ code: 'safetensors-invalid' });
  });

  test('progress from JSON keeps what it does not know, and is refused where it cannot be', () => {
    const progress = {
      version: 1,
      step: 3,
      microBatch: 0,
      held: {},
      rng: { seed: 1, stream: 'training', position: 4 },
      cursor: { any: 'thing' },
      fingerprint: { threads: 2 },
      later: 'more',
    };
    expect(parseProgress(progress)).toEqual(progress);
    for (const change of [{ version: 2 }, { step: -1 }, { rng: {} }, { fingerprint: [] }, { held: null }])
      expect(() => parseProgress({ ...progress, ...change })).toThrow(
        expect.objectContaining({ code: 'training-state-invalid' }),
      );
  });
});
