/** An answer that is too old is left where it is, and the question asked once more, for all who find it too old. */
import { standingAnswers } from '../../../../distillation/teachers/answer-age.js';
import type { Ledger } from '../../../../distillation/responses/index.js';
import { keyOf, open, responseOf } from '../../../support/responses.js';
import { openPlace, type StorePlace } from '../../../support/store-place.js';

let place: StorePlace;
let ledger: Ledger;
beforeEach(async () => {
  place = await openPlace('a directory');
  ledger = await open(place.store);
});
afterEach(() => place.close());

async function record(key: string, answer: string, recordedAt?: string): Promise<void> {
  const intent = await ledger.intend({ key, atMost: undefined });
  if (!('call' in intent)) throw new Error('expected a question that has no answer');
  const observations = recordedAt === undefined ? {} : { recordedAt };
  await ledger.record(intent.call, { ...responseOf(answer), observations });
}

const question = keyOf('question');

async function standing(since?: string) {
  const found = (await standingAnswers(ledger, [question], since)).get(question);
  return { key: found?.key, body: found?.response?.content.body };
}

it('without an age the first recorded answer stands, also one that nobody knows the time of', async () => {
  await record(question, 'first');
  expect(await standing()).toEqual({ key: question, body: { answer: 'first' } });
});

it('the question is asked again under another key, the same for everybody, until an answer is young enough', async () => {
  await record(question, 'first', '2026-09-30T23:59:59.999Z');
  expect(await standing('2026-09-30')).toEqual({ key: question, body: { answer: 'first' } });
  const { key: second = '', body } = await standing('2026-10-01');
  expect([second === question, body]).toEqual([false, undefined]);
  expect((await standing('2026-10-15')).key).toBe(second);
  await record(second, 'second', '2026-10-20T00:00:00.000Z');
  await ledger.compact();
  expect(await standing('2026-10-20')).toEqual({ key: second, body: { answer: 'second' } });
  const { key: third } = await standing('2026-10-21');
  expect(new Set([question, second, third]).size).toBe(3);
  // Whoever looks without an age, or with the earlier one, finds what they found.
  expect((await standing()).body).toEqual({ answer: 'first' });
  expect((await standing('2026-10-01')).body).toEqual({ answer: 'second' });
});

it('an answer that nobody knows the time of is too old for every age', async () => {
  await record(question, 'first');
  expect((await standing('2026-01-01')).body).toBeUndefined();
});
