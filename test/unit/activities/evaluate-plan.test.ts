/** What a plan may say of an evaluation, and what of it is part of the key. */
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { identifyStage } from '../../../activities/stage-key.js';
import { evaluateOptions, scorerVersions } from '../../../config/evaluate-options.js';
import { openScorers } from '../../../evaluation/evaluate/scorers.js';
import { builtInStages, builtInStagesWith } from '../../../plugins/built-in-stages.js';
import { evaluateStageWith } from '../../../plugins/evaluate-stage.js';

const evaluateStage = evaluateStageWith();
const rules = { kinds: builtInStages.map(({ kind }) => kind), queuePrefix: 'night' };
const plan = (options: object) => ({
  name: 'nightly',
  store: 'file:///store',
  stages: [
    { id: 'held-out', uses: 'import', with: { dataset: '/rows.jsonl' } },
    { id: 'student', uses: 'import-model', with: { model: '/student' } },
    { id: 'evaluate', uses: 'evaluate', needs: ['held-out', 'student'], with: options },
  ],
});

const resolved = (options: object) => resolvePlan(plan(options), rules).plan.nodes.at(-1);

const keyOf = async (options: object): Promise<string> => {
  const { with: values, numerics } = resolved(options) as NonNullable<ReturnType<typeof resolved>>;
  return (await identifyStage(evaluateStage.kind, { with: values, inputs: {}, ...(numerics && { numerics }) }))
    .stageKey;
};

it('an evaluation is a node that computes, with a model, a set, and scorers of a version', () => {
  expect(resolved({ scorers: ['exact-match'] })).toMatchObject({
    queue: 'night-gpu',
    activity: 'nightstill.evaluate',
    inputs: { model: { node: 'student', output: 'model' }, dataset: { node: 'held-out', output: 'dataset' } },
    with: { scorers: ['exact-match@1'], maximumTokens: 256, stop: [] },
    numerics: { runner: 'tensorflow' },
  });
});

it('one result belongs to one decoding, one list of scorers and one machine arithmetic', async () => {
  const key = await keyOf({ scorers: ['exact-match'] });
  expect(await keyOf({ scorers: ['exact-match@1'] })).toBe(key);
  expect(await keyOf({ scorers: ['exact-match'], onDifferentMachine: 'wait' })).toBe(key);
  const others = [{ maximumTokens: 8 }, { stop: ['\n'] }, { context: 64 }, { sequences: 1 }, { reference: 'sql' }];
  for (const more of others) expect(await keyOf({ scorers: ['exact-match'], ...more })).not.toBe(key);
});

it('the version of a scorer stands in the key', async () => {
  const { with: values } = resolved({ scorers: ['exact-match'] }) as NonNullable<ReturnType<typeof resolved>>;
  const { preimage } = await identifyStage(evaluateStage.kind, { with: values, inputs: {} });
  expect(preimage['options']).toMatchObject({ scorers: ['exact-match@1'] });
});

it.each<[string, object, string]>([
  ['no scorer', {}, 'stages[2].with.scorers: expected a list, found nothing'],
  ['an empty list', { scorers: [] }, 'expected at least 1 entries, found a list of 0'],
  ['an unknown scorer', { scorers: ['exact-mach'] }, 'exact-match@1, sql-execution@1 (nearest: exact-match), found'],
  ['a version that is not here', { scorers: ['exact-match@9'] }, 'expected one of exact-match'],
  ['a scorer twice', { scorers: ['exact-match', 'exact-match@1'] }, 'expected scorers that differ'],
  [
    'SQL without a database',
    { scorers: ['sql-execution'] },
    'with.database: expected a SQLite database if sql-execution',
  ],
  ['a database that nothing reads', { scorers: ['exact-match'], database: '/shop.db' }, 'among the scorers, else none'],
])('a plan is refused: %s', (_, options, message) => {
  expect(() => resolvePlan(plan(options), rules)).toThrow(
    expect.objectContaining({ code: 'plan-invalid', message: expect.stringContaining(message) as string }),
  );
});

it('every scorer that a plan can name is there, of that version', async () => {
  const options = evaluateOptions.parse({ scorers: Object.keys(scorerVersions), database: '/shop.db' });
  const { scorers, close } = await openScorers(options.scorers, { database: new Uint8Array(), module: undefined });
  await close();
  expect(scorers.map(({ id, version }) => [id, version])).toEqual(Object.entries(scorerVersions));
});

describe('scorers of the user’s own', () => {
  const own = { module: '/etc/scorers.js', versions: { mine: 3 } };
  const known = { ...rules, kinds: builtInStagesWith(own).map(({ kind }) => kind) };

  it('are named by plans as the built-in ones are, and their version is part of the key', () => {
    const { plan: found } = resolvePlan(plan({ scorers: ['exact-match', 'mine'] }), known);
    expect(found.nodes.at(-1)?.with).toMatchObject({ scorers: ['exact-match@1', 'mine@3'] });
    expect(JSON.stringify(found)).not.toContain(own.module);
    expect(() => resolvePlan(plan({ scorers: ['mine@2'] }), known)).toThrow('expected one of exact-match');
  });

  it('are known to the gates of a plan', () => {
    const file = { name: 'n', store: 'file:///s', teacher: '/t', student: '/s', dataset: '/d', evaluation: '/e' };
    const gates = [{ score: 'mine', atLeast: 0.5 }];
    const { plan: found } = resolvePlan({ ...file, gates }, known);
    expect(found.nodes.find(({ id }) => id === 'evaluate')?.with).toMatchObject({ scorers: ['mine@3'] });
    expect(() => resolvePlan({ ...file, gates }, rules)).toThrow(/^gates: expected scores of exact-match, sql/);
  });

  it('are never named by a path: a plan is data and brings no code', () => {
    expect(() => resolvePlan(plan({ scorers: ['/etc/scorers.js'] }), known)).toThrow('expected one of exact-match');
    const options = { scorers: ['exact-match'], scorerModule: '/tmp/theirs.js' };
    expect(() => resolvePlan(plan(options), known)).toThrow('one that is not known here');
  });
});
