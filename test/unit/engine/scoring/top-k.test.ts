import { prepareBackend } from '../../../../engine/runners/kernels-backend.js';
import { topLogits } from '../../../../engine/scoring/top-k.js';
import { tf } from '../../../../engine/tf.js';
import { createRandom } from '../../../../engine/training/random.js';

const random = createRandom(11, 'logits');

/** Greatest first; of equal ones the lower id. */
const sorted = (row: readonly number[], kept: number): number[] =>
  [...row.keys()].sort((one, other) => (row[other] ?? 0) - (row[one] ?? 0) || one - other).slice(0, kept);

const rowsOf: readonly [string, (vocabulary: number) => number[]][] = [
  ['all different', (vocabulary) => Array.from({ length: vocabulary }, () => Math.fround(random.normal()))],
  ['many equal ones', (vocabulary) => Array.from({ length: vocabulary }, () => random.integer(4))],
  ['all equal', (vocabulary) => Array<number>(vocabulary).fill(-7)],
  ['the greatest in one block', (vocabulary) => Array.from({ length: vocabulary }, (_, id) => -Math.abs(id - 200))],
  ['the greatest far apart', (vocabulary) => Array.from({ length: vocabulary }, (_, id) => (id * 67) % vocabulary)],
  [
    'very negative',
    (vocabulary) => Array.from({ length: vocabulary }, () => -1e30 * (1 + random.uniform())).map(Math.fround),
  ],
];

describe.each(['cpu', 'wasm'] as const)('on %s', (backend) => {
  beforeAll(() => prepareBackend(backend));

  test.each([
    [4096, 10],
    [1000, 7],
    [1000, 1],
    [2563, 20],
    [100, 10],
    [12, 12],
  ])('of %i logits the %i greatest are found exactly, of equal ones the first', (vocabulary, kept) => {
    const rows = rowsOf.map(([, make]) => make(vocabulary));
    const found = tf.tidy(() => {
      const { logits_NK, ids_NK } = topLogits(tf.tensor2d(rows), kept);
      return { logits: logits_NK.arraySync(), ids: ids_NK.arraySync() };
    });
    rows.forEach((row, index) => {
      const expected = sorted(row, kept);
      expect(found.ids[index]).toEqual(expected);
      expect(found.logits[index]).toEqual(expected.map((id) => row[id]));
    });
  });
});
