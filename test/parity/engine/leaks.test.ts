/** What a process holds does not grow with the steps it runs, failures included. */
import { runChild } from './children/run-child.js';

interface Held {
  readonly tensors: number;
  readonly buffers: number;
  readonly handles: number;
  readonly bytes: number;
}

test.each(['graph', 'xla', 'wasm'])(
  'after 1,000 steps with failures in between a process holds what it held before them: %s',
  async (kind) => {
    const { before, after, end, failed, first, last } = await runChild<{
      before: Held;
      after: Held;
      end: Held;
      failed: number;
      first: number;
      last: number;
    }>('many-steps', [kind]);
    const counts = ({ tensors, buffers, handles }: Held) => ({ tensors, buffers, handles });
    expect(counts(after)).toEqual(counts(before));
    expect({ ...counts(end), tensors: end.tensors }).toEqual({ tensors: 0, buffers: 0, handles: 0 });
    // Every step feeds and fetches 64 KiB: a thousand arrays left behind, of either, are four times as much.
    expect(after.bytes - before.bytes).toBeLessThan(16 * 1024 * 1024);
    // On wasm a division by zero is no error.
    expect(failed).toBe(121 * (kind === 'wasm' ? 4 : 5));
    expect(last).toBeLessThan(first * 0.9);
  },
);

test.each(['graph', 'wasm'])(
  'generating and scoring, refused and left on the way, leave no tensor and no handle behind: %s',
  async (kind) => {
    const { before, after, end, rounds, ...counted } = await runChild<{
      before: Omit<Held, 'bytes'>;
      after: Omit<Held, 'bytes'>;
      end: Omit<Held, 'bytes'>;
      rounds: number;
      tokens: number;
      scored: number;
      refused: number;
    }>('many-sequences', [kind]);
    expect(after).toEqual(before);
    expect(end).toEqual({ tensors: 0, buffers: 0, handles: 0 });
    expect(rounds).toBeGreaterThan(30);
    expect(counted).toEqual({ tokens: rounds * 13, scored: rounds * 3, refused: rounds * 2 });
  },
);
