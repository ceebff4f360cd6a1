/** Token ids of a step, wherever they stand: one outside the vocabulary would read other memory, or none. */
import { topKObjective } from '../../../../engine/training/objective.js';
import { sampleSteps, type StepSource } from '../../../../engine/training/step-source.js';
import {
  drawnTargets,
  drawTargets,
  eventsOf,
  tinySamples,
  tinyStream,
  tinyTrainer,
} from '../../../support/tiny-run.js';

const settings = {
  divergence: { kind: 'forward-kl' },
  temperature: 1,
  timesTemperatureSquared: true,
  crossEntropyShare: 0.5,
} as const;

/** Targets of the tokens 0, 1 and 2, but for the second one of token 4. */
const stepsWith = (id: number): StepSource =>
  sampleSteps(tinySamples(), {
    ...tinyStream,
    extra({ ids }, random) {
      const teacherIds = Int32Array.from({ length: ids.length * 3 }, (_, entry) => entry % 3);
      teacherIds[4 * 3 + 1] = id;
      return { ...drawTargets(ids.length, random), teacherIds };
    },
  });

const refused = (limit: number, id: number) => ({
  code: 'training-setting-invalid',
  message: expect.stringContaining(
    `of 0 to below ${limit} in teacherIds of micro-batch 1 in step 1, found ${id} at place 13`,
  ),
});

test.each([99, 32, -1])('a kept id of %d is refused by its name and place, trained or evaluated', async (id) => {
  const trainer = await tinyTrainer({ ...drawnTargets(), source: stepsWith(id), heldOut: stepsWith(id) });
  await expect(eventsOf(trainer, 1)).rejects.toMatchObject(refused(32, id));
  await expect(trainer.evaluate()).rejects.toMatchObject(refused(32, id));
  trainer.dispose();
});

test('the last id of the vocabulary is learned from; where the teacher has fewer, its last', async () => {
  const fewer = topKObjective({ ...settings, teacherVocabularySize: 31 }, 3);
  for (const [objective, last] of [[drawnTargets().objective, 31] as const, [fewer, 30] as const]) {
    const trainer = await tinyTrainer({ objective, source: stepsWith(last) });
    expect(await eventsOf(trainer, 1)).toHaveLength(2);
    trainer.dispose();
  }
  const trainer = await tinyTrainer({ objective: fewer, source: stepsWith(31) });
  await expect(eventsOf(trainer, 1)).rejects.toMatchObject(refused(31, 31));
  trainer.dispose();
});
