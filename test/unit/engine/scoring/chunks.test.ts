import fc from 'fast-check';
import { chunksOf, inChunks } from '../../../../engine/scoring/chunks.js';
import { tf } from '../../../../engine/tf.js';

test('chunks are as few as memory allows, whatever the number of tokens is a multiple of', () => {
  const [vocabulary, logitNumbers] = [151_936, 2 ** 24];
  expect(chunksOf(1021, vocabulary, logitNumbers)).toHaveLength(10);
  expect(chunksOf(1024, vocabulary, logitNumbers)).toHaveLength(10);
  expect(chunksOf(7, 10, 30)).toEqual([
    { begin: 0, size: 3 },
    { begin: 3, size: 3 },
    { begin: 6, size: 1 },
  ]);
});

test('every token is in one chunk, none has more logits than may be in memory, but one token always goes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 200 }),
      fc.nat(20_000),
      (tokens, ids, most) => {
        const chunks = chunksOf(tokens, ids, most + 1);
        let end = 0;
        for (const { begin, size } of chunks) {
          expect(begin).toBe(end);
          expect(size).toBeGreaterThan(0);
          expect(size === 1 || size * ids <= most + 1).toBe(true);
          end += size;
        }
        expect(end).toBe(tokens);
        expect(chunks.length).toBeLessThanOrEqual(Math.ceil(tokens / Math.max(1, Math.floor((most + 1) / ids))));
      },
    ),
    { seed: 3 },
  );
});

test('what is made of the chunks is what would be made of all tokens at once, a shorter last chunk included', () => {
  const hidden_ND = tf.tensor2d(
    Float32Array.from({ length: 14 }, (_, index) => index),
    [7, 2],
  );
  const sizes: number[] = [];
  const { sums, rows } = inChunks(chunksOf(7, 1, 3), (rowsOf, { size }) => {
    const mine_nD = rowsOf(hidden_ND);
    sizes.push(size);
    return { sums: tf.sum(mine_nD, 1), rows: mine_nD };
  });
  expect(sizes).toEqual([3, 3, 1]);
  expect([...sums!.dataSync()]).toEqual([1, 5, 9, 13, 17, 21, 25]);
  expect([...rows!.dataSync()]).toEqual([...hidden_ND.dataSync()]);
});
