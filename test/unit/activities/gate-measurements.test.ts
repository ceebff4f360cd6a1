/** Which scores a gate does not take: those of another model, and those that were measured on something else. */
import { refuseOtherModel, refuseUnlike, scoreKindsOf } from '../../../activities/gate-measurements.js';

const measured = (dataset: string, maximumTokens: number, kind = 'evaluate') => ({
  preimage: { kind, version: 1, options: { maximumTokens }, inputs: { model: 'a', dataset } },
});
const candidate = measured('rows', 16);

it('scores of another model than the one that is decided about are refused by name', () => {
  expect(() => refuseOtherModel('champion', candidate, 'b')).toThrow(
    'champion: expected scores of the model b, found those of a',
  );
  expect(() => refuseOtherModel('champion', candidate, 'a')).not.toThrow();
});

it('scores on other questions, or of answers that were written otherwise, are not compared', () => {
  expect(() => refuseUnlike('base', measured('others', 16), candidate)).toThrow('base: the dataset: expected the cand');
  expect(() => refuseUnlike('base', measured('rows', 32), candidate)).toThrow('base: the options of the evaluation');
  expect(() => refuseUnlike('base', measured('rows', 16), candidate)).not.toThrow();
});

it('of a stage of a user’s own only what is known is compared', () => {
  expect(() => refuseUnlike('base', measured('rows', 32, 'own'), candidate)).not.toThrow();
  expect(() => refuseUnlike('base', { preimage: { kind: 'own' } }, candidate)).not.toThrow();
  expect(() => refuseUnlike('base', undefined, candidate)).not.toThrow();
});

it('what a scorer says that its scores are is taken from the evaluation, where it has recorded that', () => {
  const facts = {
    scores: { sql: { version: 1, kind: 'right-wrong', mean: 0.5 }, own: { kind: 'mean' }, odd: { kind: 7 } },
  };
  expect(scoreKindsOf({ ...candidate, facts })).toEqual({ sql: 'right-wrong', own: 'mean' });
  for (const others of [undefined, candidate, { ...candidate, facts: null }, { ...candidate, facts: { scores: 3 } }])
    expect(scoreKindsOf(others)).toEqual({});
});
