import { captureRows } from '../../../../distillation/logits/index.js';
import { confirmDivergence } from '../../../../distillation/training/divergence-check.js';
import type { ScoredSequence } from '../../../../engine/index.js';
import { tinySamples } from '../../../support/tiny-run.js';

const step = (divergence: number) => ({ step: 7, parts: { crossEntropy: 1, divergence } });

describe('a negative divergence', () => {
  it.each(['tail-bucket', 'renormalise', 'residual-to-label', undefined] as const)(
    'ends a training under %s',
    (rule) => {
      expect(() => confirmDivergence(step(-0.01), rule)).toThrow(
        expect.objectContaining({ code: 'divergence-negative', message: expect.stringContaining('step 7') }),
      );
      for (const rounding of [-1e-6, 0, 0.5]) expect(() => confirmDivergence(step(rounding), rule)).not.toThrow();
    },
  );

  it('is what truncate can give, and nothing that a step without a divergence has', () => {
    expect(() => confirmDivergence(step(-0.3), 'truncate')).not.toThrow();
    expect(() => confirmDivergence({ step: 1, parts: {} })).not.toThrow();
  });
});

/** A scorer that says the same of every position. */
const scorerOf = (captured: readonly number[], missing: number) => ({
  async *score(sequences: Iterable<Int32Array> | AsyncIterable<Int32Array>): AsyncGenerator<ScoredSequence> {
    let index = 0;
    for await (const { length } of sequences) {
      const positions = length - 1;
      const of = (values: readonly number[]): number[] => Array.from({ length: positions }, () => values).flat();
      const topLogProbabilities = Float32Array.from(of(captured.map(Math.log)));
      const [missingMass, logSumExp] = [Float32Array.from(of([missing])), new Float32Array(positions)];
      yield {
        index: index++,
        tokenLogProbabilities: new Float32Array(positions),
        topIds: Int32Array.from(of([...captured.keys()])),
        topGaps: Float32Array.from(of(captured.map((mass) => Math.log(mass / (captured[0] ?? 1))))),
        distributions: [{ temperature: 1, topLogProbabilities, missingMass, logSumExp }],
      };
    }
  },
});

async function capture(captured: readonly number[], missing: number): Promise<number> {
  let rows = 0;
  for await (const row of captureRows(scorerOf(captured, missing), tinySamples(3))) rows += row.ids.length > 0 ? 1 : 0;
  return rows;
}

describe('what a teacher says', () => {
  it.each([
    ['a captured mass above 1', [0.9, 0.102], 0],
    ['no captured mass', [0, 0], 1],
    ['masses that do not sum to 1', [0.5, 0.2], 0.1],
    ['no numbers', [Number.NaN, 0.2], 0.1],
  ])('is refused for %s', async (_, captured, missing) => {
    await expect(capture(captured, missing)).rejects.toMatchObject({ code: 'distribution-invalid' });
  });

  it('may be wrong by rounding', async () => {
    expect(await capture([0.9, 0.1005], 0)).toBe(3);
    expect(await capture([0.5, 0.2], 0.3)).toBe(3);
  });
});
