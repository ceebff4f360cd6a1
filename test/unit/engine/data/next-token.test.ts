import { nextTokenTargets } from '../../../../engine/data/next-token.js';

describe('the causal shift', () => {
  const ids = Int32Array.of(10, 11, 12, 13, 20, 21, 22, 23);
  const whole = new Int32Array(8);

  test('a position predicts the token after it, and the last of a row nothing', () => {
    const tokenWeights = new Float32Array(8).fill(1);
    const { labels, weights, trainedTokens } = nextTokenTargets({ ids, rowLength: 4, tokenWeights, segments: whole });
    expect([...labels]).toEqual([11, 12, 13, 0, 21, 22, 23, 0]);
    expect([...weights]).toEqual([1, 1, 1, 0, 1, 1, 1, 0]);
    expect(trainedTokens).toBe(6);
  });

  test('prompt tokens are predicted by no trained position; the first response token is predicted by the last of the prompt', () => {
    const tokenWeights = Float32Array.of(0, 0, 1, 1, 0, 1, 0, 0);
    const { weights, trainedTokens } = nextTokenTargets({ ids, rowLength: 4, tokenWeights, segments: whole });
    expect([...weights]).toEqual([0, 1, 1, 0, 1, 0, 0, 0]);
    expect(trainedTokens).toBe(3);
  });

  test('no segment of a packed row predicts the first token of the next', () => {
    const tokenWeights = new Float32Array(8).fill(1);
    const segments = Int32Array.of(0, 0, 1, 1, 0, 1, 1, 2);
    const { labels, weights } = nextTokenTargets({ ids, rowLength: 4, tokenWeights, segments });
    expect([...weights]).toEqual([1, 0, 1, 0, 0, 1, 0, 0]);
    expect([...labels]).toEqual([11, 0, 13, 0, 0, 22, 0, 0]);
  });
});
