import { refuse, type Part } from '../../../tools/part.js';
import { parts } from '../../../tools/parts.js';
import { describeOutcomes, requireParts, selectParts, setUp } from '../../../tools/setup.js';
import { recordedContext } from '../../support/setup-context.js';

const have: Part = {
  name: 'have',
  purpose: 'a test',
  version: '2.0.0',
  optional: false,
  sources: [
    {
      name: 'PATH',
      effort: 'look',
      attempt: () =>
        Promise.resolve({
          found: { version: '2.1.0', from: 'PATH', kind: 'executable', location: '/bin/true', bytes: 1_500_000 },
        }),
    },
  ],
};

const lack = (optional: boolean): Part => ({
  name: 'lack',
  purpose: 'a test',
  version: '1.0.0',
  optional,
  sources: [
    { name: 'PATH', effort: 'look', attempt: () => Promise.resolve(refuse('no lack on PATH')) },
    { name: 'build', effort: 'work', attempt: () => Promise.resolve(refuse('no compiler')) },
  ],
});

describe('set-up', () => {
  it('brings the other parts when one cannot be had', async () => {
    const outcomes = await setUp([lack(false), have], recordedContext({}));
    expect(outcomes.map(({ found }) => found?.version)).toEqual([undefined, '2.1.0']);
  });

  it('fails with the reason of every source when a required part cannot be had', async () => {
    const outcomes = await setUp([lack(false), have], recordedContext({}));
    expect(() => requireParts(outcomes)).toThrow(
      expect.objectContaining({
        code: 'setup-part-failed',
        message: expect.stringContaining('lack (PATH: no lack on PATH; build: no compiler)'),
      }),
    );
  });

  it('succeeds without an optional part', async () => {
    const outcomes = await setUp([lack(true)], recordedContext({}));
    expect(() => requireParts(outcomes)).not.toThrow();
  });

  it('needs a Temporal server alone, and whatever is named, as tests name their parts', () => {
    const needed = (names: readonly string[]) =>
      selectParts(names).flatMap(({ name, optional }) => (optional ? [] : [name]));
    expect(needed([])).toEqual(['temporal-server']);
    expect(needed(['tensorflow', 's3-server'])).toEqual(['s3-server', 'tensorflow']);
  });

  it('refuses a part that it does not know', () => {
    expect(() => selectParts(['s3-server', 'postgres'])).toThrow(
      expect.objectContaining({ code: 'setup-part-unknown', message: expect.stringContaining('"postgres"') }),
    );
  });

  it('brings all parts when none is named', () => {
    expect(selectParts([])).toEqual(parts);
    expect(selectParts(['s3-server']).map(({ name }) => name)).toEqual(['s3-server']);
  });
});

describe('the closing table', () => {
  it('says part, version, where it came from, size and time', async () => {
    const outcomes = await setUp([have, lack(true)], recordedContext({}));
    const rows = describeOutcomes(outcomes.map((outcome) => ({ ...outcome, seconds: 61.2 }))).split('\n');
    expect(rows[0]).toMatch(/^part +version +from +size +time$/);
    expect(rows[2]).toMatch(/^have +2\.1\.0 +PATH +1\.5 MB +1 min 01 s$/);
    expect(rows[3]).toMatch(/^lack +– +not installed: no compiler +– +1 min 01 s$/);
  });
});
