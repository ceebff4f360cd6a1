import { resolvePlan } from '../../../activities/resolve-plan.js';
import { importStage } from '../../../plugins/import-stage.js';

const rules = { kinds: [importStage.kind], queuePrefix: 'night' };

const importing = { id: 'import', uses: 'import', with: { dataset: '/data/rows.jsonl' } };
const file = (...stages: readonly unknown[]) => ({ name: 'nightly', store: 'file:///store', stages });

describe('a plan file', () => {
  it('becomes nodes that name everything the workflow needs', () => {
    const stage = { ...importing, timeouts: { heartbeatMs: 2000 }, retry: { initialIntervalMs: 200 } };
    expect(resolvePlan(file(stage), rules).plan).toEqual({
      name: 'nightly',
      store: 'file:///store',
      nodes: [
        {
          id: 'import',
          uses: 'import',
          needs: [],
          with: { dataset: 'file:///data/rows.jsonl', shardBytes: 8388608 },
          activity: 'nightstill.import',
          queue: 'night-io',
          timeouts: { startToCloseMs: 86_400_000, heartbeatMs: 2000 },
          retry: { initialIntervalMs: 200, backoffCoefficient: 2, maximumIntervalMs: 60_000 },
        },
      ],
    });
  });

  it('has the same digest whatever the order of its keys', () => {
    const { planDigest } = resolvePlan(file(importing), rules);
    const { stages, store, name } = file(importing);
    expect(resolvePlan({ stages, store, name }, rules).planDigest).toBe(planDigest);
    expect(resolvePlan({ stages, store, name: 'other' }, rules).planDigest).not.toBe(planDigest);
  });
});

describe('a plan file is refused with the path, what was expected and what was found', () => {
  const stages = (...all: readonly object[]) => file(...all.map((stage) => ({ ...importing, ...stage })));
  it.each<[string, unknown, string]>([
    ['nothing', null, '^the plan: expected .*object.*, found null$'],
    ['text', 'a secret', '^the plan: expected .*object.*, found a value of type string$'],
    ['no stages', { name: 'a', store: 'file:///s', stages: [] }, '^stages: .*found a list$'],
    ['no store', { name: 'a', stages: [importing] }, '^store: expected .*string.*, found nothing$'],
    ['a store that is no store', { ...file(importing), store: 'secret' }, '^store: expected .*a store URL'],
    ['a name with a slash', { ...file(importing), name: 'a/secret' }, '^name: expected .*1 to 63 characters'],
    ['an unknown key', { ...file(importing), stores: 1 }, '^the plan: expected .*"stores"'],
    [
      'an unknown kind',
      stages({ uses: 'exfiltrate' }),
      '^stages\\[0\\].uses: expected one of import, found exfiltrate$',
    ],
    ['a missing option', stages({ with: {} }), '^stages\\[0\\].with.dataset: expected .*string.*, found nothing$'],
    ['an unknown option', stages({ with: { dataset: '/d', data: 1 } }), '^stages\\[0\\].with: expected .*"data"'],
    [
      'a relative path',
      stages({ with: { dataset: 'secret.jsonl' } }),
      '^stages\\[0\\].with.dataset: expected .*absolute path',
    ],
    [
      'a path that is none',
      stages({ with: { dataset: 'file:secret.jsonl' } }),
      '^stages\\[0\\].with.dataset: expected .*absolute path',
    ],
    [
      'another host',
      stages({ with: { dataset: 'file://secret/rows.jsonl' } }),
      '^stages\\[0\\].with.dataset: expected .*absolute path',
    ],
    [
      'credentials',
      stages({ with: { dataset: 's3://me:secret@b/k' } }),
      '^stages\\[0\\].with.dataset: .*without credentials',
    ],
    [
      'tiny shards',
      stages({ with: { dataset: '/d', shardBytes: 1 } }),
      '^stages\\[0\\].with.shardBytes: expected .*65536',
    ],
    ['an id twice', stages({}, {}), '^stages\\[1\\].id: expected an id of its own, found import$'],
    ['an unknown need', stages({ needs: ['other'] }), '^stages\\[0\\].needs: expected ids of import, found other$'],
    [
      'a cycle',
      stages({ id: 'a', needs: ['b'] }, { id: 'b', needs: ['a'] }, { id: 'c' }),
      '^stages: .*one among a, b$',
    ],
  ])('%s', (_, content, message) => {
    const resolve = (): unknown => resolvePlan(content, rules);
    expect(resolve).toThrow(expect.objectContaining({ code: 'plan-invalid', message: expect.stringMatching(message) }));
    expect(resolve).not.toThrow(/secret/);
  });
});
