import { answerOptions, type AnswerOptions } from '../../../../config/answer-options.js';
import { isKept } from '../../../../distillation/teachers/answer-dataset.js';
import { readReply, type Reply } from '../../../../distillation/teachers/chat-reply.js';
import { nanoUsd } from '../../../../distillation/responses/index.js';
import { Tally } from '../../../../distillation/teachers/tally.js';

const replyOf = (finishReason: string, message: Readonly<Record<string, string>>): Reply =>
  readReply({ model: 'large', choices: [{ finish_reason: finishReason, message }] });

const refusal = replyOf('stop', { refusal: 'I will not.' });
const filtered = replyOf('content_filter', { content: '' });
const cutOff = replyOf('length', { content: 'The answer is' });
const cutOffAtOnce = replyOf('length', {});

it('what answers have cost is counted once where equal rows share one, and is not known where one was bought without a price', () => {
  const prices = { inputUsdPerMillion: 1, outputUsdPerMillion: 1, asOf: '2026-11-27' };
  const tally = new Tally(3, { ...optionsWith(['cut-off'], 0.9), prices });
  const heard = (key: string, cost?: number) => ({
    key,
    reply: { ...cutOff, cost: cost === undefined ? undefined : nanoUsd(cost) },
  });
  for (const key of ['one', 'one', 'two']) tally.add('cut-off', heard(key, 500_000));
  expect(tally.summary).toMatchObject({ spentUsd: 0.001, fates: { 'cut-off': 3 } });
  tally.add('cut-off', heard('three'));
  expect(tally.summary.spentUsd).toBeUndefined();
});

const optionsWith = (keep: AnswerOptions['keep'], minimumYield: number): AnswerOptions =>
  answerOptions.parse({
    teacher: {
      endpoint: 'https://host/v1',
      model: 'large',
      revision: '1',
      terms: { licence: 'MIT', allowsTraining: 'yes' },
    },
    keep,
    minimumYield,
  });

describe('what a plan keeps', () => {
  it.each([
    ['a refusal in its own words', refusal, 'I will not.'],
    ['an answer that is cut off', cutOff, 'The answer is'],
  ])('is %s', (_, reply, text) => {
    expect(reply.text).toBe(text);
    expect(isKept(['refused', 'cut-off'], reply.outcome, reply)).toBe(true);
    expect(isKept([], reply.outcome, reply)).toBe(false);
  });

  it.each([
    ['a filter', filtered],
    ['an answer that is cut off before it begins', cutOffAtOnce],
  ])('is never %s: it has no text, and counts as lost', (_, reply) => {
    expect(isKept(['refused', 'cut-off'], reply.outcome, reply)).toBe(false);
    const tally = new Tally(2, optionsWith(['refused', 'cut-off'], 0.9));
    tally.add(cutOff.outcome, { key: '1', reply: { ...cutOff, cost: undefined } });
    tally.confirmYield();
    tally.add(reply.outcome, { key: '2', reply: { ...reply, cost: undefined } });
    expect(() => tally.confirmYield()).toThrow(`of 2 requests, found 1 without: 1 ${reply.outcome}`);
  });
});
