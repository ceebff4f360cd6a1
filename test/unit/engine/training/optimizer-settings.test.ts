import { Trainer } from '../../../../engine/training/trainer.js';
import { tinyOptions } from '../../../support/tiny-run.js';

const { optimizer } = tinyOptions();

test.each<[string, Partial<typeof optimizer>]>([
  ['a first moment that forgets nothing, whose bias correction is 0/0', { beta1: 1 }],
  ['a second moment that forgets nothing', { beta2: 1 }],
  ['a negative decay rate', { beta1: -0.1 }],
  ['a decay rate that is no number', { beta2: Number.NaN }],
  ['a negative epsilon', { epsilon: -1e-8 }],
  ['an epsilon without bound', { epsilon: Infinity }],
  ['a negative decay, under which weights grow', { decay: { value: -50 } }],
  ['a decay that is no number', { decay: { value: Number.NaN } }],
  ['a decay without bound', { decay: { value: Infinity } }],
  ['a negative decay of one rule', { decay: { value: 0, rules: [{ names: '*.bias', value: -1 }] } }],
  ['a negative norm, under which gradients are climbed', { maximumGradientNorm: -1 }],
  ['a norm of 0, under which nothing is learned', { maximumGradientNorm: 0 }],
  ['a norm that is no number', { maximumGradientNorm: Number.NaN }],
])('AdamW refuses what torch.optim refuses: %s (training-setting-invalid)', async (_, wrong) => {
  const options = tinyOptions({ optimizer: { ...optimizer, ...wrong } });
  await expect(Trainer.create(options)).rejects.toMatchObject({ code: 'training-setting-invalid' });
});

test('a norm without bound clips nothing, and no decay is as good as any', async () => {
  const unclipped = { ...optimizer, decay: { value: 0 }, maximumGradientNorm: Infinity };
  const trainer = await Trainer.create(tinyOptions({ optimizer: unclipped }));
  expect(trainer.step).toBe(0);
  trainer.dispose();
});

test('moments of the newest gradient alone, and no epsilon, are as good as any', async () => {
  const options = tinyOptions({ optimizer: { ...optimizer, beta1: 0, beta2: 0, epsilon: 0 } });
  const trainer = await Trainer.create(options);
  expect(trainer.step).toBe(0);
  trainer.dispose();
});
