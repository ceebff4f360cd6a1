import fc from 'fast-check';
import { CheckpointPolicy } from '../../../../distillation/training/checkpoint-policy.js';

const minute = 60_000;

/** Lets a training run under the policy: when it saved, how much was at stake at most, and which share of the time saving took. */
function simulate(loseAtMostMs: number, blockedMs: number, backgroundMs: number, stepMs = 50, untilMs = 100 * minute) {
  const policy = new CheckpointPolicy(loseAtMostMs, 0);
  const begins: number[] = [];
  let [now, blocked, durableState, most] = [0, 0, 0, 0];
  let underWay: { readonly from: number; readonly durableAt: number } | undefined;
  while (now < untilMs) {
    now += stepMs;
    if (underWay && now >= underWay.durableAt) {
      durableState = underWay.from;
      policy.durable({ blockedMs, durableAfterMs: underWay.durableAt - underWay.from });
      underWay = undefined;
    }
    most = Math.max(most, now - durableState);
    if (!policy.due(now)) continue;
    begins.push(now);
    policy.begin(now);
    underWay = { from: now, durableAt: now + blockedMs + backgroundMs };
    blocked += blockedMs;
    now += blockedMs;
  }
  return { begins, most, share: blocked / now };
}

describe('checkpoints come', () => {
  it('so early that they are durable before more than the budget is at stake', () => {
    const { most, begins } = simulate(5 * minute, 500, 20_000);
    expect(most).toBeLessThanOrEqual(5 * minute + 100);
    expect(begins.length).toBeGreaterThan(15);
  });

  it('no more often than the budget asks for, however cheap they are', () => {
    expect(simulate(5 * minute, 1, 10).begins.length).toBeLessThanOrEqual(22);
  });

  it('so seldom that they take a twentieth of the time at most, where the budget asks for more', () => {
    const { share, begins } = simulate(1000, 2000, 0);
    expect(share).toBeLessThanOrEqual(1 / 20);
    expect(begins.length).toBeGreaterThan(100);
  });

  it('several times in a tiny run with a tiny budget', () => {
    expect(simulate(100, 2, 20, 5, 2000).begins.length).toBeGreaterThan(10);
  });

  it('within budget and share, whatever they cost', () => {
    const budgets = fc.integer({ min: 1000, max: 10 * minute });
    fc.assert(
      fc.property(
        budgets,
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 0, max: 5000 }),
        (budget, blocked, more) => {
          const { most, share } = simulate(budget, blocked, more);
          expect(share).toBeLessThanOrEqual(1 / 20 + 0.01);
          // What the budget cannot give, the share takes; the first save is taken to need half of the budget.
          expect(most).toBeLessThanOrEqual(
            Math.max(budget, 20 * blocked + blocked + more) + Math.max(blocked + more, 200),
          );
        },
      ),
      { numRuns: 50, seed: 5 },
    );
  });
});

describe('a save', () => {
  it('is never begun while another is under way', () => {
    const policy = new CheckpointPolicy(1000, 0);
    expect(policy.due(1000)).toBe(true);
    policy.begin(1000);
    expect(policy.due(100_000)).toBe(false);
  });

  it('that failed is tried again after a part of the budget', () => {
    const policy = new CheckpointPolicy(1000, 0);
    policy.begin(1000);
    policy.failed(1100);
    expect([policy.due(1200), policy.due(1350)]).toEqual([false, true]);
  });

  it('counts from the moment whose state it holds, not from when it was durable', () => {
    const policy = new CheckpointPolicy(1000, 0);
    policy.begin(500);
    policy.durable({ blockedMs: 1, durableAfterMs: 300 });
    expect([policy.due(1150), policy.due(1200)]).toEqual([false, true]);
  });
});
