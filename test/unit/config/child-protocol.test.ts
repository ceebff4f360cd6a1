/** What of a child is a sign of life: that it has done something, and not that it speaks. */
import { showsWork, type Progress } from '../../../config/child-protocol.js';

const before: Progress = {
  phase: 'work',
  durable: { step: 2, fence: 1 },
  facts: { done: 3, of: 9, unit: 'rows', tokensPerSecond: 7 },
};
const now = (change: Partial<Progress>): Progress => ({ ...before, ...change });

it.each<[string, Progress]>([
  ['another phase', now({ phase: 'seal' })],
  ['another durable step', now({ durable: { step: 3, fence: 1 } })],
  ['another count', now({ facts: { ...before.facts, done: 4 } })],
  ['a count that was not there', now({ facts: { ...before.facts, parts: 1 } })],
  ['a wait for others, which is looked at again', now({ waits: true })],
])('%s shows that a child works', (_, progress) => {
  expect(showsWork(before, progress)).toBe(true);
});

it('the first message shows it too', () => {
  expect(showsWork(undefined, before)).toBe(true);
});

it('the same message again does not, nor a rate that changes by waiting alone', () => {
  expect(showsWork(before, now({}))).toBe(false);
  expect(showsWork(before, now({ facts: { ...before.facts, tokensPerSecond: 6 } }))).toBe(false);
});
