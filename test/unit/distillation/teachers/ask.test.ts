/** One request and its money: whatever ends a call gives back what it held, and nothing is paid for after the end. */
import { once } from 'node:events';
import { teacherEndpointSchema } from '../../../../config/teacher-schema.js';
import { budgetOfRun, fromUsd, openLedger, type Ledger } from '../../../../distillation/responses/index.js';
import { ask, type AskingMeans } from '../../../../distillation/teachers/ask.js';
import { chatWire } from '../../../../distillation/teachers/chat-reply.js';
import { openClient } from '../../../../distillation/teachers/client.js';
import { Pace } from '../../../../distillation/teachers/pace.js';
import { faults } from '../../../support/counting-teacher.js';
import { intercept, type StoreCall } from '../../../support/intercepted-store.js';
import { teacherAndStore } from '../../../support/teacher-and-store.js';
import { until } from '../../../support/processes.js';

const here = teacherAndStore();

const questionOf = (key: string) => ({
  key: key.repeat(64),
  body: { model: 'large', messages: [{ role: 'user', content: key }], max_tokens: 5 },
});

interface Begun extends AskingMeans {
  readonly stopped: AbortController;
  readonly ended: AbortController;
}

/** With money for one call at its upper bound. */
async function begin(store = here.place.store): Promise<Begun> {
  const teacher = teacherEndpointSchema.parse({
    endpoint: here.server.endpoint,
    model: 'large',
    revision: '1',
    terms: { licence: 'MIT', allowsTraining: 'yes' },
    prices: { inputUsdPerMillion: 1, outputUsdPerMillion: 1, asOf: '2026-11-27' },
  });
  const ledger: Ledger = await openLedger(store, {
    teacher,
    runId: 'one',
    holder: { stage: 'answer', fence: 1 },
    caps: [{ budget: budgetOfRun('one'), amount: fromUsd(0.0005) }],
  });
  const [stopped, ended] = [new AbortController(), new AbortController()];
  const [client, pace] = [openClient(teacher, undefined, chatWire), new Pace(teacher.limits)];
  const [stop, cut] = [stopped.signal, ended.signal];
  return { teacher, client, pace, ledger, maximumTokens: 5, stop, cut, stopped, ended };
}

it('a call that is cut gives its turn to who waits for its money, and nobody waits for ever', async () => {
  const means = await begin();
  here.server.faultFor = () => faults.silent;
  const asked = ['a', 'b', 'c'].map((key) => ask(means, questionOf(key)));
  const outcomes = Promise.allSettled(asked);
  await until('a call under way', () => here.server.asked.length === 1);
  means.stopped.abort(new Error('enough'));
  means.ended.abort(new Error('enough'));
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(here.server.asked).toHaveLength(1);
  expect(await means.ledger.report()).toMatchObject({
    asked: 1,
    possiblyPaidTwice: { calls: 1 },
    inFlight: { calls: 0 },
  });
});

it('no call begins after the end, though its money comes free then', async () => {
  const means = await begin();
  const stop = once(means.stop, 'abort');
  here.server.faultFor = () => (response, completion) =>
    void stop.then(() => faults.servedBy('large')(response, completion));
  const outcomes = Promise.allSettled(['a', 'b'].map((key) => ask(means, questionOf(key))));
  await until('a call under way', () => here.server.asked.length === 1);
  const reason = new Error('enough');
  means.stopped.abort(reason);
  const answered = { status: 'fulfilled', value: expect.objectContaining({ outcome: 'answered' }) };
  expect(await outcomes).toEqual([answered, { status: 'rejected', reason }]);
  expect(here.server.asked).toHaveLength(1);
  expect(await means.ledger.report()).toMatchObject({ answered: { calls: 1 }, refused: { stopped: 1 } });
});

it('a reply that cannot be recorded ends its call, which may be paid for', async () => {
  const isReply = ({ operation, key }: StoreCall): boolean => operation === 'putIfAbsent' && key.includes('/single/');
  const before = (call: StoreCall): void => {
    if (isReply(call)) throw new Error('no room');
  };
  const means = await begin(intercept(here.place.store, { before }));
  const [first, second] = [ask(means, questionOf('a')), ask(means, questionOf('b'))];
  await expect(first).rejects.toThrow('no room');
  await expect(second).rejects.toMatchObject({ code: 'budget-exhausted' });
  expect(await means.ledger.report()).toMatchObject({ asked: 1, possiblyPaidTwice: { calls: 1 } });
});
