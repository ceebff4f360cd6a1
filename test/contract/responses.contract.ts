/** What is recorded stays recorded, is found again wherever it lies, and is not asked for again. */
import { collect, type ObjectStore } from '../../storage/index.js';
import { Responses } from '../../distillation/responses/responses.js';
import { teacherKey, type Call, type Ledger } from '../../distillation/responses/index.js';
import { intercept } from '../support/intercepted-store.js';
import { ask, keyOf, keysTo, open, responseOf, teacher } from '../support/responses.js';
import { keysOf } from '../support/stage.js';

export function responseLedger(openStore: () => Promise<ObjectStore>): void {
  describe('the response ledger', () => {
    let store: ObjectStore;
    beforeEach(async () => {
      store = await openStore();
    });
    afterEach(() => store.close());

    const callOf = async (ledger: Ledger, key: string): Promise<Call> => {
      const intent = await ledger.intend({ key, atMost: undefined });
      if ('call' in intent) return intent.call;
      throw new Error('expected to be allowed a call');
    };
    const single = (key: string): string => `responses/${teacherKey(teacher)}/single/${key}.json`;
    const bodies = async (ledger: Ledger, keys: readonly string[]): Promise<unknown[]> => {
      const found = await ledger.find(keys);
      return keys.map((key) => found.get(key)?.content.body);
    };

    it('finds what was recorded, whoever recorded it, and nothing else', async () => {
      const ledger = await open(store);
      const keys = keysTo(40);
      for (const [index, key] of keys.slice(0, 30).entries()) await ask(ledger, key, `answer ${index}`);
      const other = await open(store, 2);
      const expected = keys.map((_, index) => (index < 30 ? { answer: `answer ${index}` } : undefined));
      expect(await bodies(other, keys)).toEqual(expected);
      expect(await bodies(other, keys.slice(25, 35))).toEqual(expected.slice(25, 35));
    });

    it('allows no call for a key that has an answer, and gives the answer', async () => {
      await ask(await open(store), keyOf('a'), 'first');
      const later = await open(store, 2, { runId: 'two' });
      expect(await ask(later, keyOf('a'), 'second')).toBe('{"answer":"first"}');
      expect(await later.report()).toMatchObject({ asked: 0 });
      await later.compact();
      expect(await ask(later, keyOf('a'), 'second')).toBe('{"answer":"first"}');
    });

    it('samples of one question are asked one by one', async () => {
      const ledger = await open(store);
      expect(await ask(ledger, keyOf('a', 0), 'first')).toBe('{"answer":"first"}');
      expect(await ask(ledger, keyOf('a', 1), 'second')).toBe('{"answer":"second"}');
    });

    it('of several answers to one question the first recorded counts for all, and the others are reported', async () => {
      const [one, other] = [await open(store, 1), await open(store, 1, { runId: 'two' })];
      const [call, second] = [await callOf(one, keyOf('a')), await callOf(other, keyOf('a'))];
      await one.record(call, responseOf('first'));
      expect((await other.record(second, responseOf('second', 0.02))).content.body).toEqual({ answer: 'first' });
      expect((await one.report()).possiblyPaidTwice).toEqual({ calls: 0, money: 0 });
      expect((await other.report()).possiblyPaidTwice).toEqual({ calls: 1, money: 20_000_000 });
    });

    it('an answer that comes second is second also when compaction has moved the first in between', async () => {
      const [one, other] = [await open(store, 1), await open(store, 1, { runId: 'two' })];
      const second = await callOf(other, keyOf('a'));
      await ask(one, keyOf('a'), 'first');
      await one.compact();
      expect((await other.record(second, responseOf('second'))).content.body).toEqual({ answer: 'first' });
      expect(await keysOf(store, single(keyOf('a')))).toEqual([single(keyOf('a'))]);
      expect(await bodies(await open(store, 2), [keyOf('a')])).toEqual([{ answer: 'first' }]);
      expect(await one.compact()).toEqual({ moved: 0 });
      expect(await keysOf(store, single(''))).toEqual([]);
    });

    it('an answer moved while it is looked for is found', async () => {
      const ledger = await open(store);
      await ask(ledger, keyOf('a'), 'first');
      let isMoved = false;
      const interrupted = intercept(store, {
        before: async ({ operation, key }) => {
          if (operation !== 'get' || key !== single(keyOf('a')) || isMoved) return;
          isMoved = true;
          await ledger.compact();
        },
      });
      expect(await bodies(await open(interrupted, 2), [keyOf('a')])).toEqual([{ answer: 'first' }]);
      expect(isMoved).toBe(true);
    });

    it('compaction leaves few objects, changes nothing, and can be repeated and doubled', async () => {
      const ledger = await open(store);
      const keys = keysTo(50);
      for (const key of keys) await ask(ledger, key, key.repeat(20));
      const before = await bodies(ledger, keys);
      const moved = await Promise.all([ledger.compact(), (await open(store, 2)).compact()]);
      expect(Math.max(...moved.map((report) => report.moved))).toBeGreaterThan(0);
      expect(await keysOf(store, single(''))).toEqual([]);
      expect((await keysOf(store, 'responses/')).length).toBeLessThan(10);
      expect(await ledger.compact()).toEqual({ moved: 0 });
      expect(await bodies(await open(store, 3), keys)).toEqual(before);
      expect(await bodies(ledger, keys.slice(7, 9))).toEqual(before.slice(7, 9));
    });

    it('who looks for many in parts lists no single responses, and what is known to be in a shard is not looked for', async () => {
      const keys = keysTo(256);
      const ledger = await open(store);
      await ask(ledger, keyOf('question 7'), 'yes');
      const calls: string[] = [];
      const counted = intercept(store, { before: ({ operation, key }) => void calls.push(`${operation} ${key}`) });
      const reader = await open(counted, 2);
      expect((await reader.find(keys)).size).toBe(1);
      await reader.compact();
      calls.length = 0;
      expect((await reader.find([keyOf('question 7')])).size).toBe(1);
      expect(calls).toEqual([expect.stringMatching(/^get .+\/rows\//)]);
      calls.length = 0;
      expect((await reader.find(keys)).size).toBe(1);
      expect(calls.filter((call) => call.startsWith('list') && call.includes('/single/'))).toEqual([]);
      expect(calls.filter((call) => call.includes('/single/'))).toHaveLength(keys.length - 1);
    });

    it('compaction that ends anywhere loses nothing, and the next one completes it', async () => {
      const keys = keysTo(6);
      for (let operations = 0; ; operations += 1) {
        const ended = `ended after ${operations}`;
        const ledger = await open(store, 1 + operations, { runId: ended });
        for (const key of keys) await ask(ledger, key, key);
        let left = operations;
        const ending = intercept(store, {
          before: () => {
            left -= 1;
            if (left < 0) throw new Error(ended);
          },
        });
        const moving = new Responses(ending, teacherKey(teacher)).compact();
        const isWhole = await moving.then(() => true).catch(() => false);
        expect(await bodies(await open(store, 100), keys)).toEqual(keys.map((answer) => ({ answer })));
        if (isWhole) break;
      }
      expect(await keysOf(store, single(''))).toEqual([]);
    });

    it('a damaged response is put aside and may be asked for again', async () => {
      const ledger = await open(store);
      await ask(ledger, keyOf('a'), 'first');
      await store.put(single(keyOf('a')), Buffer.from('{"content":'));
      expect(await bodies(ledger, [keyOf('a')])).toEqual([undefined]);
      expect(await ask(ledger, keyOf('a'), 'again')).toBe('{"answer":"again"}');
      expect(await keysOf(store, 'quarantine/responses/')).toHaveLength(1);
    });

    it('calls that failed are attempts and no answers: what was refused costs nothing, what may be paid counts', async () => {
      const ledger = await open(store);
      ledger.giveUp(await callOf(ledger, keyOf('a')), { reason: 'teacher-refused-key', maybePaid: false });
      ledger.giveUp(await callOf(ledger, keyOf('a')), { reason: 'teacher-unavailable', maybePaid: true });
      expect(await bodies(ledger, [keyOf('a')])).toEqual([undefined]);
      expect(await ledger.report()).toMatchObject({
        asked: 2,
        answered: { calls: 0 },
        refused: { 'teacher-refused-key': 1 },
        possiblyPaidTwice: { calls: 1 },
        unpriced: 1,
      });
    });

    it('an answer that comes after its call was given up is recorded, and the call counts as answered', async () => {
      const ledger = await open(store);
      const call = await callOf(ledger, keyOf('a'));
      ledger.giveUp(call, { reason: 'teacher-timeout', maybePaid: true });
      await ledger.record(call, responseOf('late'));
      expect(await ledger.report()).toMatchObject({ answered: { calls: 1 }, possiblyPaidTwice: { calls: 0 } });
    });

    it('reports what processes of before have left: answers as answered, the rest as possibly paid twice', async () => {
      const before = await open(store, 1);
      await ask(before, keyOf('a'), 'yes');
      const unrecorded = await before.intend({ key: keyOf('b'), atMost: undefined });
      await callOf(before, keyOf('c'));
      const expected = { asked: 3, answered: { calls: 1, money: 10_000_000, promptTokens: 3, completionTokens: 2 } };
      expect(await before.report()).toMatchObject({ ...expected, inFlight: { calls: 2 } });
      const after = await open(store, 2);
      expect(await after.report()).toMatchObject({
        ...expected,
        possiblyPaidTwice: { calls: 2 },
        inFlight: { calls: 0 },
      });
      expect(unrecorded).toHaveProperty('call');
    });

    it('a process whose stage has a successor makes no call any more, and what it hears yet is recorded', async () => {
      const [before] = [await open(store, 1), await callOf(await open(store, 1, { runId: 'two' }), keyOf('x'))];
      const call = await callOf(before, keyOf('a'));
      const after = await open(store, 2);
      await expect(before.intend({ key: keyOf('b'), atMost: undefined })).rejects.toMatchObject({ code: 'fence-lost' });
      await before.record(call, responseOf('heard'));
      expect(await bodies(after, [keyOf('a')])).toEqual([{ answer: 'heard' }]);
      await callOf(after, keyOf('c'));
      await expect(open(store, 1)).rejects.toMatchObject({ code: 'fence-lost' });
      await expect(before.close()).rejects.toMatchObject({ code: 'fence-lost' });
    });

    it('a process that was overtaken before its first call makes none', async () => {
      const before = await open(store, 1);
      await (await open(store, 2)).close();
      await expect(before.intend({ key: keyOf('a'), atMost: undefined })).rejects.toMatchObject({ code: 'fence-lost' });
      await expect(open(store, 1)).rejects.toMatchObject({ code: 'fence-lost' });
    });

    it('collection never takes responses, journals or budgets', async () => {
      const ledger = await open(store, 1, { caps: [{ budget: 'run/one', amount: responseOf('', 1).price!.nanoUsd }] });
      await ask(ledger, keyOf('a'));
      await ledger.compact();
      await ask(ledger, keyOf('b'));
      await ledger.close();
      const before = await keysOf(store);
      expect(new Set(before.map((key) => key.replace(/^(budgets|responses\/[^/]+\/[^/]+)\/.*$/, '$1')))).toHaveProperty(
        'size',
        5,
      );
      const report = await collect(store, { dryRun: false, graceMs: 0, closedRuns: 0 });
      expect(report).toMatchObject({ removed: { objects: 0 }, kept: { objects: 0 } });
      expect(await keysOf(store)).toEqual(before);
    });
  });
}
