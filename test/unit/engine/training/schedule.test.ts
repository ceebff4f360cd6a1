import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { learningRateAt, type Schedule } from '../../../../engine/training/schedule.js';

interface Reference {
  readonly kind: Schedule['kind'];
  readonly minimumRatio: number;
  readonly warmUpSteps: number;
  readonly totalSteps: number;
  readonly peak: number;
  readonly rates: number[];
}

const references: Reference[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../fixtures/gradients/schedules.json'), 'utf8'),
);

const cosine: Schedule = { kind: 'cosine', peak: 1, totalSteps: 10 };

describe('learning rate schedules', () => {
  test.each(
    references.map((one) => [`${one.kind} ${one.warmUpSteps}/${one.totalSteps} ${one.minimumRatio}`, one] as const),
  )(
    '%s has the rates of transformers at every step',
    (_name, { kind, minimumRatio, warmUpSteps, totalSteps, peak, rates }) => {
      const schedule: Schedule = { kind, peak, totalSteps, minimumRatio, warmUp: { steps: warmUpSteps } };
      rates
        .slice(0, totalSteps + 1)
        .forEach((rate, step) => expect(learningRateAt(schedule, step)).toBeCloseTo(rate, 14));
    },
  );

  test('after the last step the rate stays at its minimum', () => {
    for (const step of [10, 11, 15, 1000]) {
      expect(learningRateAt({ ...cosine, minimumRatio: 0.25 }, step)).toBeCloseTo(0.25, 14);
      expect(learningRateAt({ ...cosine, kind: 'linear', minimumRatio: 0.25 }, step)).toBeCloseTo(0.25, 14);
    }
  });

  test('a warm-up ratio is a number of steps, rounded up', () => {
    for (let step = 0; step < 12; step++)
      expect(learningRateAt({ ...cosine, warmUp: { ratio: 0.21 } }, step)).toBe(
        learningRateAt({ ...cosine, warmUp: { steps: 3 } }, step),
      );
  });

  test.each<Partial<Schedule>>([
    { peak: -1 },
    { peak: NaN },
    { totalSteps: -1 },
    { minimumRatio: 1.1 },
    { warmUp: { steps: 11 } },
    { warmUp: { ratio: -0.1 } },
  ])('%j is refused (training-setting-invalid)', (wrong) => {
    expect(() => learningRateAt({ ...cosine, ...wrong }, 0)).toThrow(
      expect.objectContaining({ code: 'training-setting-invalid' }),
    );
  });
});
