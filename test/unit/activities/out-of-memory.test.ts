import { killedForMemory, ranOutOfMemory } from '../../../activities/out-of-memory.js';

describe('a process that ended', () => {
  const end = { signal: 'SIGKILL', said: false, killedBefore: 3, killedSince: 3 } as const;

  it('ran out of memory where the kernel has killed for memory meanwhile', () => {
    expect(ranOutOfMemory({ ...end, killedSince: 4 })).toBe(true);
  });

  it('ran out of memory where it said so, however it ended', () => {
    expect(ranOutOfMemory({ ...end, signal: 'SIGABRT', said: true })).toBe(true);
  });

  it.each([
    ['nothing was killed for memory', end],
    ['it was not killed', { ...end, signal: null, killedSince: 4 }],
    ['the kernel does not count', { ...end, killedBefore: undefined, killedSince: undefined }],
  ])('is a death like any other where %s', (_, other) => {
    expect(ranOutOfMemory(other)).toBe(false);
  });
});

it('on Linux the kernel counts whom it kills for memory', () => {
  expect(killedForMemory()).toEqual(process.platform === 'linux' ? expect.any(Number) : undefined);
});
