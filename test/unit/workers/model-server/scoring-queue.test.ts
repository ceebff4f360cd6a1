import { ScoringQueue } from '../../../../workers/model-server/scoring-queue.js';

test('prompts are scored one at a time in their order, and one that was cancelled while it waited never', async () => {
  const scored: number[] = [];
  const ends: (() => void)[] = [];
  const nextEnd = () => new Promise<void>((resolve) => void setImmediate(() => setImmediate(resolve)));
  const queue = new ScoringQueue((id, prompt) => {
    scored.push(id);
    expect([...prompt]).toEqual([id]);
    return new Promise((resolve) => void ends.push(resolve));
  });
  const add = (id: number) => queue.add(id, Int32Array.of(id));
  [1, 2, 3, 4].forEach(add);
  queue.cancel(1);
  await nextEnd();
  expect(scored).toEqual([2]);
  queue.cancel(3);
  queue.cancel(2);
  await nextEnd();
  expect(scored).toEqual([2]);
  ends.shift()?.();
  await nextEnd();
  expect(scored).toEqual([2, 4]);
  ends.shift()?.();
  await nextEnd();
  // It has come to rest, and goes on with the next.
  add(5);
  await nextEnd();
  expect(scored).toEqual([2, 4, 5]);
});
