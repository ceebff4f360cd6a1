/** Answers age by whole days of UTC, counted from the day that a run was begun on. */
import { onDay } from '../../../activities/dated-plan.js';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { identifyStage } from '../../../activities/stage-key.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { closeRun, openRun } from '../../../storage/index.js';
import { newRun } from '../../support/stage.js';
import { openPlace } from '../../support/store-place.js';

const kinds = builtInStages.map(({ kind }) => kind);

const planWith = (teacher: object, answer: object = {}) => {
  const terms = { licence: 'MIT', allowsTraining: 'yes' };
  const endpoint = { endpoint: 'https://host/v1', model: 'large', revision: '1', terms, ...teacher };
  const file = { name: 'night', store: 'file:///s', teacher: endpoint, student: '/s', dataset: '/rows.jsonl', answer };
  return resolvePlan(file, { kinds, queuePrefix: 'night' }).plan;
};

function answerOn(day: string, teacher: object, answer: object = {}) {
  const node = onDay(planWith(teacher, answer), kinds, day)?.nodes.find(({ uses }) => uses === 'answer');
  if (!node) throw new Error('expected a plan that depends on the day');
  return node;
}

it('a plan without an age is the same on every day', () => {
  expect(onDay(planWith({}), kinds, '2026-11-27')).toBeUndefined();
});

it('answers of before so many days are asked again, of two limits the later counts', () => {
  expect(answerOn('2026-03-01', { maxAge: '30d' }).with['answersSince']).toBe('2026-01-30');
  expect(answerOn('2026-03-01', { maxAge: '30d' }, { answersSince: '2026-02-10' }).with['answersSince']).toBe(
    '2026-02-10',
  );
});

it('the day is part of what the answers depend on, and the age itself is not', async () => {
  const kind = kinds.find(({ kind: name }) => name === 'answer');
  if (!kind) throw new Error('expected the kind');
  const keyOf = async (...asked: Parameters<typeof answerOn>) =>
    (await identifyStage(kind, { ...answerOn(...asked), inputs: {} })).stageKey;
  const key = await keyOf('2026-11-27', { maxAge: '30d' });
  expect(await keyOf('2026-11-28', { maxAge: '31d' })).toBe(key);
  expect(await keyOf('2026-11-28', { maxAge: '30d' })).not.toBe(key);
});

it('a run that goes on on another day stays of the day that it was begun on', async () => {
  const place = await openPlace('a directory');
  const { store } = place;
  try {
    await openRun(store, { ...newRun('one'), day: '2026-11-27' });
    await closeRun(store, 'one', null);
    expect(await openRun(store, { ...newRun('one'), day: '2026-11-28' })).toMatchObject({ day: '2026-11-27' });
    expect(await openRun(store, newRun('two'))).not.toHaveProperty('day');
  } finally {
    await place.close();
  }
});
