import fc from 'fast-check';
import { differenceInALine, explainDifference } from '../../../config/explain-difference.js';
import type { JsonObject } from '../../../config/json.js';

const preimage: JsonObject = {
  kind: 'distill',
  version: 1,
  options: { temperature: 1, divergence: { jsd: 0.5 } },
  inputs: { dataset: 'sha256:aa', teacher: 'sha256:bb' },
  numerics: { threads: 2, xla: false },
};
const options = (changes: JsonObject): JsonObject => ({ ...preimage, options: changes });

describe('the difference of two preimages', () => {
  it('is nothing where they are equal, whatever the order of their keys', () => {
    expect(explainDifference(preimage, preimage)).toEqual([]);
    expect(explainDifference(options({ a: 1, b: [{ c: 1, d: 2 }] }), options({ b: [{ d: 2, c: 1 }], a: 1 }))).toEqual(
      [],
    );
  });

  it.each<[string, JsonObject, JsonObject, readonly string[]]>([
    ['an option', options({ temperature: 1 }), options({ temperature: 2 }), ['temperature: 1 → 2']],
    ['an option that was not there', options({}), options({ epochs: 5 }), ['epochs: default → 5']],
    [
      'an option within an option',
      options({ start: { layers: { every: 2 } } }),
      options({ start: { layers: { every: 3 } } }),
      ['start.layers.every: 2 → 3'],
    ],
    [
      'an option of another shape',
      options({ start: 'given' }),
      options({ start: { a: 1 } }),
      ['start: given → {"a":1}'],
    ],
    ['a list', options({ layers: [0, 2] }), options({ layers: [0, 3] }), ['layers: [0,2] → [0,3]']],
    ['null', options({ tensorflow: null }), options({ tensorflow: '2.21.0' }), ['tensorflow: null → 2.21.0']],
    [
      'an input',
      preimage,
      { ...preimage, inputs: { dataset: 'sha256:cc', teacher: 'sha256:bb' } },
      ['input dataset changed'],
    ],
    [
      'inputs that come and go',
      preimage,
      { ...preimage, inputs: { dataset: 'sha256:aa', heldOut: 'sha256:dd' } },
      ['input heldOut is new', 'input teacher is gone'],
    ],
    ['the version of the stage', preimage, { ...preimage, version: 2 }, ['version 1 → 2']],
    ['numerics', preimage, { ...preimage, numerics: { threads: 4, xla: false } }, ['numerics.threads: 2 → 4']],
    ['another kind', preimage, { ...preimage, kind: 'fine-tune', version: 7 }, ['stage kind: distill → fine-tune']],
    [
      'a dataset that lies elsewhere',
      options({ dataset: { uri: 'file:///a', bytes: 1 } }),
      options({ dataset: { uri: 'file:///b', bytes: 2 } }),
      ['dataset: file:///a → file:///b'],
    ],
    [
      'a dataset that grew',
      options({ dataset: { uri: 'file:///a', bytes: 1, modifiedAtNs: '5' } }),
      options({ dataset: { uri: 'file:///a', bytes: 2, modifiedAtNs: '6' } }),
      ['dataset: what lies at file:///a changed, 1 → 2 bytes'],
    ],
    [
      'a model of which one file is another',
      options({
        model: {
          uri: 'file:///m',
          files: [
            { name: 'config.json', bytes: 1 },
            { name: 'w', bytes: 2 },
          ],
        },
      }),
      options({
        model: {
          uri: 'file:///m',
          files: [
            { name: 'config.json', bytes: 1 },
            { name: 'w', bytes: 3 },
          ],
        },
      }),
      ['model: what lies at file:///m changed: w'],
    ],
  ])('tells %s', (_, before, now, lines) => {
    expect(explainDifference(before, now)).toEqual(lines);
  });

  it('names the default of an option that a preimage leaves out, when it is known', () => {
    expect(explainDifference(options({ temperature: 1 }), options({}), { temperature: 2 })).toEqual([
      'temperature: 1 → 2',
    ]);
  });

  it('survives preimages that are none', () => {
    expect(explainDifference({}, preimage)).toEqual(['stage kind: default → distill']);
    expect(explainDifference({ kind: 'a', options: 3, inputs: [] }, { kind: 'a' })).toEqual([]);
  });

  it('says something exactly when an option differs, and says it in short lines', () => {
    const values = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(values, values, (before, now) => {
        const lines = explainDifference(options(before), options(now));
        const isSame = canonical(before) === canonical(now);
        expect(lines.length === 0).toBe(isSame);
        for (const line of lines) expect(line.length).toBeLessThan(2000);
      }),
    );
  });
});

describe('differences in a line', () => {
  it('are three, and how many more', () => {
    expect(differenceInALine(['a', 'b'])).toBe('a, b');
    expect(differenceInALine(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c, and 2 more');
  });
});

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
