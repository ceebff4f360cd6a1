/** Intervals of retries that Temporal would refuse, and only in the middle of a run. */
import { compileRetryPolicy } from '@temporalio/common';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import type { NodeRetry } from '../../../config/plan.js';
import { defineStage } from '../../../plugins/index.js';

const define = (retry: Partial<NodeRetry>) =>
  defineStage({ kind: 'wait', version: 1, outputs: {}, retry, run: () => Promise.reject(new Error('not run here')) });

function resolve(retry: Partial<NodeRetry>, ofKind: Partial<NodeRetry> = {}): NodeRetry {
  const stages = [{ id: 'wait', uses: 'wait', retry }];
  const rules = { kinds: [define(ofKind).kind], queuePrefix: 'night' };
  const [node] = resolvePlan({ name: 'nightly', store: 'file:///store', stages }, rules).plan.nodes;
  if (!node) throw new Error('expected a node');
  return node.retry;
}

describe('a first interval beyond the longest', () => {
  it.each<[string, Partial<NodeRetry>, string]>([
    [
      'which is a default',
      { initialIntervalMs: 600_000 },
      'initialIntervalMs: expected at most 300000 (maximumIntervalMs), found 600000',
    ],
    [
      'and is a default itself',
      { maximumIntervalMs: 500 },
      'maximumIntervalMs: expected at least 1000 (initialIntervalMs), found 500',
    ],
    [
      'where the plan gives both',
      { initialIntervalMs: 300, maximumIntervalMs: 200 },
      'initialIntervalMs: expected at most 200 (maximumIntervalMs), found 300',
    ],
  ])('%s, is refused when the plan is resolved', (_, retry, told) => {
    expect(() => resolve(retry)).toThrow(
      expect.objectContaining({ code: 'plan-invalid', message: `stages[0].retry.${told}` }),
    );
  });

  it('is refused when a stage is defined', () => {
    const message =
      'stage wait, retry: expected an initialIntervalMs of at most 300000 (maximumIntervalMs), found 600000';
    expect(() => define({ initialIntervalMs: 600_000 })).toThrow(
      expect.objectContaining({ code: 'stages-invalid', message }),
    );
  });

  it('is judged after what the stage and the plan say is put together', () => {
    const patient = { initialIntervalMs: 600_000, maximumIntervalMs: 900_000 };
    expect(resolve({ maximumIntervalMs: 600_000 }, patient)).toMatchObject({ maximumIntervalMs: 600_000 });
    expect(() => resolve({ maximumIntervalMs: 300_000 }, patient)).toThrow('found 300000');
  });
});

it('intervals of one length are taken, by Temporal as well', () => {
  const { initialIntervalMs, maximumIntervalMs } = resolve({ initialIntervalMs: 300_000 });
  const policy = { initialInterval: initialIntervalMs, maximumInterval: maximumIntervalMs };
  expect(() => compileRetryPolicy(policy)).not.toThrow();
  expect(() => compileRetryPolicy({ ...policy, initialInterval: initialIntervalMs + 1 })).toThrow('maximumInterval');
});
