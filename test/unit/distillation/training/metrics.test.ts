import { Metrics } from '../../../../distillation/training/metrics.js';
import type { StepEvent } from '../../../../engine/training/training-events.js';

const event = (step: number): StepEvent => ({
  kind: 'step',
  step,
  loss: 1 / step,
  parts: { crossEntropy: Math.sqrt(step) },
  gradientNorm: 0.1 * step,
  learningRate: 1e-3,
  tokens: step % 7,
  tokensPerSecond: Math.random(),
  residentBytes: 1,
});

function after(steps: number, metrics = new Metrics(), from = 1): Metrics {
  for (let step = from; step <= steps; step += 1) metrics.add(event(step));
  return metrics;
}

describe('metrics', () => {
  it('hold a row of every step, and nothing that depends on time', () => {
    const { rows, tokens } = after(3);
    expect(rows.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(Object.keys(rows[0] ?? {})).toEqual(['step', 'loss', 'parts', 'gradientNorm', 'learningRate', 'tokens']);
    expect(tokens).toBe(6);
  });

  it('of a long run are thinned, evenly, and the last step is always there', () => {
    const { rows } = after(20_001);
    expect(rows.length).toBeLessThanOrEqual(4097);
    expect(rows.slice(0, 3).map(({ step }) => step)).toEqual([8, 16, 24]);
    expect(rows.at(-1)?.step).toBe(20_001);
  });

  it.each([0, 1, 4096, 4097, 9000, 12_000])(
    'are the same when the run was interrupted after step %i',
    (interrupted) => {
      const resumed = after(12_000, Metrics.decode(after(interrupted).encode()), interrupted + 1);
      const whole = after(12_000);
      // Texts are compared: deep equality of thousands of rows takes the test runner seconds.
      expect(JSON.stringify(resumed.rows) === JSON.stringify(whole.rows)).toBe(true);
      expect(Buffer.from(resumed.encode()).equals(whole.encode())).toBe(true);
    },
  );

  it('refuse bytes that are none', () => {
    for (const text of ['', '{}', '[1]'])
      expect(() => Metrics.decode(new TextEncoder().encode(text))).toThrow(
        expect.objectContaining({ code: 'record-invalid' }),
      );
  });
});
