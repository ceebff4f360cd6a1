/** Money that processes share: no cap is passed, nothing that was spent is forgotten, nothing unspent is held for ever. */
import type { ObjectStore } from '../../storage/index.js';
import { fromUsd, type Ledger } from '../../distillation/responses/index.js';
import { ask, cap, keyOf, keysTo, open, responseOf } from '../support/responses.js';

export function budgets(openStore: () => Promise<ObjectStore>): void {
  describe('a budget', () => {
    let store: ObjectStore;
    beforeEach(async () => {
      store = await openStore();
    });
    afterEach(() => store.close());

    /** Asks for new answers until there is no money. @returns how many it got */
    const askAll = async (ledger: Ledger, keys: readonly string[], usd: number, atMost = usd): Promise<number> => {
      const outcomes = await Promise.allSettled(keys.map((key) => ask(ledger, key, 'yes', usd, atMost)));
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'budget-exhausted' });
      return outcomes.filter(({ status }) => status === 'fulfilled').length;
    };

    it('allows calls up to its cap and not one more', async () => {
      const ledger = await open(store, 1, { caps: [cap(1)] });
      expect(await askAll(ledger, keysTo(30), 0.05)).toBe(20);
      await expect(ask(ledger, keyOf('another'))).rejects.toMatchObject({
        code: 'budget-exhausted',
        fault: 'user',
        retryable: false,
        details: { neededUsd: 0.05, capUsd: 1, reservedUsd: 1 },
      });
    });

    it('is spent by what calls cost, not by what they might have cost', async () => {
      const ledger = await open(store, 1, { caps: [cap(1)] });
      // A call begins while its bound of 0.30 is left.
      expect(await askAll(ledger, keysTo(30), 0.05, 0.3)).toBe(15);
    });

    it('with a higher cap the rest is paid, and nothing twice', async () => {
      const keys = keysTo(30);
      const before = await open(store, 1, { caps: [cap(1)] });
      await askAll(before, keys, 0.05);
      await before.close();
      const after = await open(store, 2, { caps: [cap(1.5)] });
      const missing = keys.length - (await after.find(keys)).size;
      expect(missing).toBe(10);
      expect(await askAll(after, keys, 0.05)).toBe(30);
      expect(await after.report()).toMatchObject({ asked: 30, answered: { calls: 30, money: fromUsd(1.5) } });
      await expect(ask(after, keyOf('another'))).rejects.toMatchObject({ code: 'budget-exhausted' });
    });

    it('counts a call of which nobody knows at its upper bound, and a refused one not at all', async () => {
      const ledger = await open(store, 1, { caps: [cap(1)] });
      const failing = async (maybePaid: boolean): Promise<void> => {
        const intent = await ledger.intend({ key: keyOf('a'), atMost: fromUsd(0.6) });
        if (!('call' in intent)) throw new Error('expected to be allowed a call');
        ledger.giveUp(intent.call, { reason: 'teacher-unavailable', maybePaid });
      };
      await failing(false);
      await failing(true);
      await expect(failing(true)).rejects.toMatchObject({ code: 'budget-exhausted' });
      await ledger.close();
      const after = await open(store, 2, { caps: [cap(1)] });
      expect(await askAll(after, keysTo(20), 0.1)).toBe(4);
    });

    it('is not needed for what has an answer', async () => {
      const ledger = await open(store, 1, { caps: [cap(1)] });
      await ask(ledger, keyOf('a'), 'first', 0.9, 0.9);
      expect(await ask(ledger, keyOf('a'), 'second', 0.9, 0.9)).toBe('{"answer":"first"}');
    });

    it('gives back what a process held that is gone, all but what it may have spent', async () => {
      const before = await open(store, 1, { caps: [cap(1)] });
      await ask(before, keyOf('answered'), 'yes', 0.1, 0.2);
      await before.intend({ key: keyOf('unknown'), atMost: fromUsd(0.3) });
      const after = await open(store, 2, { caps: [cap(1)] });
      expect(await askAll(after, keysTo(20), 0.05)).toBe(12);
      expect((await after.report()).possiblyPaidTwice).toEqual({ calls: 1, money: fromUsd(0.3) });
    });

    it('gives nothing back of a process that is alive, or of which nobody says that it is over', async () => {
      const other = { runId: 'two', caps: [cap(1, 'period/month')] };
      const before = await open(store, 1, { ...other, holder: { stage: 'other', fence: 1 } });
      await before.intend({ key: keyOf('unknown'), atMost: fromUsd(0.3) });
      const after = await open(store, 1, { caps: [cap(1, 'period/month')] });
      expect(await askAll(after, keysTo(20), 0.05)).toBe(14);
      await expect(ask(after, keyOf('another'))).rejects.toMatchObject({ details: { spentUsd: 0, reservedUsd: 1 } });
    });

    it('gives back what a process of another stage held once it is said to be over, and that process makes no call', async () => {
      const other = { runId: 'two', caps: [cap(1, 'period/month')] };
      const before = await open(store, 1, { ...other, holder: { stage: 'other', fence: 1 } });
      await ask(before, keyOf('a'), 'yes', 0.5, 1);
      const isOver = (): Promise<boolean> => Promise.resolve(true);
      const after = await open(store, 1, { caps: [cap(1, 'period/month')], isOver });
      expect(await askAll(after, keysTo(20), 0.05)).toBe(10);
      await expect(ask(before, keyOf('b'), 'yes', 0.01, 0.01)).rejects.toMatchObject({ code: 'fence-lost' });
    });

    it('of two caps the tighter one holds, and both are spent', async () => {
      const one = await open(store, 1, { caps: [cap(1), cap(0.7, 'period/month')] });
      expect(await askAll(one, keysTo(20), 0.05)).toBe(14);
      await one.close();
      const two = await open(store, 1, { runId: 'two', caps: [cap(1, 'run/two'), cap(0.9, 'period/month')] });
      expect(await askAll(two, keysTo(20, 'more'), 0.05)).toBe(4);
    });

    it('waits for calls under way before it says that there is no money', async () => {
      const ledger = await open(store, 1, { caps: [cap(1)] });
      const first = await ledger.intend({ key: keyOf('a'), atMost: fromUsd(0.9) });
      const second = ask(ledger, keyOf('b'), 'yes', 0.5, 0.5);
      if ('call' in first) await ledger.record(first.call, responseOf('cheap', 0.1));
      expect(await second).toBe('{"answer":"yes"}');
    });

    it('allows no call without a price', async () => {
      const ledger = await open(store, 1, { caps: [cap(1)] });
      const intent = ledger.intend({ key: keyOf('a'), atMost: undefined });
      await expect(intent).rejects.toMatchObject({ code: 'plan-invalid' });
    });

    it('holds with many ledgers at once that are left without being closed, and are followed', async () => {
      let paid = 0;
      const spend = async (stage: string, fence: number): Promise<void> => {
        const ledger = await open(store, fence, { runId: stage, holder: { stage, fence }, caps: [cap(0.8, 'shared')] });
        for (let index = 0; index < 6; index += 1) {
          const key = keyOf(`${stage} ${fence} ${index}`);
          try {
            const intent = await ledger.intend({ key, atMost: fromUsd(0.02) });
            paid += 0.02;
            // Every third answer gets lost; the last call is under way when the process is gone. Nobody ends properly.
            if (!('call' in intent) || index === 5) continue;
            if (index % 3 > 0) await ledger.record(intent.call, responseOf('yes', 0.02));
            else ledger.giveUp(intent.call, { reason: 'teacher-timeout', maybePaid: true });
          } catch (error) {
            expect(error).toMatchObject({ code: 'budget-exhausted' });
          }
        }
      };
      const stages = ['a', 'b', 'c', 'd'];
      for (const fence of [1, 2, 3]) await Promise.all(stages.map((stage) => spend(stage, fence)));
      expect(paid).toBeLessThanOrEqual(0.800_001);
      expect(paid).toBeGreaterThan(0.7);
    });
  });
}
