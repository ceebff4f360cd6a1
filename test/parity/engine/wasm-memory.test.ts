/** wasm has 4 GiB: what does not fit fails as that, changes nothing, and prints nothing. */
import { runChildWithLog } from './children/run-child.js';

interface Ended {
  readonly before: readonly [tensors: number, freeMebibytes: number];
  readonly after: readonly [tensors: number, freeMebibytes: number];
  readonly full: readonly Readonly<Record<string, unknown>>[];
  readonly states: Readonly<Record<string, unknown>>;
  readonly roomy: Readonly<Record<string, unknown>>;
  readonly updates: number;
  readonly end: number;
}

const noRoom = (name: string, found: string): RegExp =>
  new RegExp(`^out-of-memory: expected the wasm backend to ${name} within the 4 GiB that it can have, found: ${found}`);

test('calls for which the memory of wasm has no room fail, lose nothing, and the next ones compute as before', async () => {
  const { result, log } = await runChildWithLog<Ended>('wasm-full', [], {});
  const { before, after, full, states, roomy, updates, end } = result;
  const program = (name: string, found: string): unknown =>
    expect.stringMatching(noRoom(`run program "${name}"`, found));
  for (const calls of full)
    expect(calls).toEqual({
      product: program('product', 'expected room for 65 MiB more, found none$'),
      large: program('large', 'expected room for 256 MiB more, found none$'),
      beyond: program('beyond', 'expected room for 4,120 MiB more, found none$'),
      top: program('top', 'Aborted'),
      split: program('split', 'expected room for 24 MiB more, found none$'),
    });
  expect(states).toEqual({
    tooLarge:
      'out-of-memory: expected a state within the 4 GiB that wasm can have, found one of 6,144 MiB: only TensorFlow takes that',
    noRoom: expect.stringMatching(noRoom('make room for the state', 'expected room for 48 MiB more, found none$')),
    write: expect.stringMatching(noRoom('write the state', 'expected room for 128 MiB more, found none$')),
  });
  expect(after[0]).toBe(before[0]);
  // Small things may lie elsewhere than before.
  expect(Math.abs(after[1] - before[1])).toBeLessThan(4);
  expect(roomy).toEqual({ product: 4096, large: 1, top: 1, split: 2 });
  expect([updates, end]).toEqual([4, 0]);
  expect(log).toBe('');
});
