/** Names that every object has a member of: none is taken for something that the plan, or a kind of stage, has. */
import { z } from 'zod';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { identifyStage } from '../../../activities/stage-key.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { defineStage } from '../../../plugins/index.js';

const rules = { kinds: builtInStages.map(({ kind }) => kind), queuePrefix: 'night' };
const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__proto__'];
const importing = { id: 'import', uses: 'import', with: { dataset: '/data/rows.jsonl' } };
const plan = (changes: object, top: object = {}) => ({
  name: 'nightly',
  store: 'file:///store',
  ...top,
  stages: [{ ...importing, ...changes }],
});
/** As a file says it: its own key, whatever the name. */
const keyed = (name: string, value: unknown): object => JSON.parse(`{"${name}":${JSON.stringify(value)}}`) as object;

const refused = (path: string) =>
  expect.objectContaining({
    code: 'plan-invalid',
    message: expect.stringMatching(new RegExp(`^${path}: expected .*, found `)),
  });
const escaped = (path: string): string => path.replace(/[[\].]/g, '\\$&');

describe.each(names)('a plan in which "%s" is', (name) => {
  it.each([
    ['the id of a stage', plan({ id: name }), 'stages[0].id'],
    ['the name of the plan', plan({}, { name }), 'name'],
    ['a kind of stage', plan({ uses: name }), 'stages[0].uses'],
    ['what a stage needs', plan({ needs: [name] }), 'stages[0].needs[0]'],
    ['an input', plan({ inputs: keyed(name, 'import.dataset') }), `stages[0].inputs.${name}`],
    ['an option', plan({ with: JSON.parse(`{"dataset":"/d","${name}":1}`) as object }), `stages[0].with.${name}`],
    [
      'a section',
      JSON.parse(
        `{"name":"n","store":"file:///s","${name}":1,"stages":[{"id":"a","uses":"import","with":{"dataset":"/d"}}]}`,
      ) as object,
      name,
    ],
  ])('%s is refused there', (_, file, path) => {
    expect(() => resolvePlan(file, rules)).toThrow(refused(escaped(path)));
  });
});

it('an id that is refused for its name is told why', () => {
  expect(() => resolvePlan(plan({ id: 'constructor' }), rules)).toThrow(
    'stages[0].id: expected a name other than constructor, found a value of type string',
  );
});

it('an option of such a name, of a kind that takes any, is no source and has no default', async () => {
  const { kind } = defineStage({
    kind: 'any',
    version: 1,
    options: z.record(z.string(), z.json()),
    outputs: { note: 'note' },
    run: () => Promise.reject(new Error('not run here')),
  });
  const { preimage } = await identifyStage(kind, { with: { constructor: 'mine', toString: 'mine' }, inputs: {} });
  expect(preimage).toMatchObject({ options: { constructor: 'mine', toString: 'mine' } });
});
