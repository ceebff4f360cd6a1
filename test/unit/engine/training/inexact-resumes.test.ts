/** What becomes of a run that another machine began. */
import { inexactResumes } from '../../../../engine/index.js';

const begun = {
  before: { backend: 'tensorflow', threads: 2 },
  onDifferentMachine: 'continue',
  at: 7,
  did: 'trained until step 7',
  resumedInexactlyAt: [3],
} as const;

it('a machine that computes the same bits adds no place at which a run went on with other bits', () => {
  expect(inexactResumes({ ...begun, now: { threads: 2, backend: 'tensorflow' } })).toEqual([3]);
});

it('another machine adds its place to those of before', () => {
  expect(inexactResumes({ ...begun, now: { backend: 'tensorflow', threads: 1 } })).toEqual([3, 7]);
});

it('a run that waits for its own kind of machine says what differs', () => {
  const elsewhere = { backend: 'tensorflow', threads: 2, gpu: 'H100' };
  expect(() => inexactResumes({ ...begun, onDifferentMachine: 'wait', now: elsewhere })).toThrow(
    expect.objectContaining({
      code: 'machine-differs',
      message:
        'expected a machine that computes the bits of the one that trained until step 7, found gpu: undefined → H100',
    }),
  );
});
