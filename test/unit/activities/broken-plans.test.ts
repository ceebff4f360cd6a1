/** What a user gets to read when a plan is wrong, word for word. */
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { hasCode } from '../../../config/errors.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';

const rules = { kinds: builtInStages.map(({ kind }) => kind), queuePrefix: 'night' };
const importing = { id: 'import', uses: 'import', with: { dataset: '/data/rows.jsonl' } };
const model = { id: 'model', uses: 'import-model', with: { model: '/model' } };
const tuning = { id: 'tune', uses: 'fine-tune', needs: ['import', 'model'], inputs: { model: 'model.model' } };
const standard = { name: 'nightly', store: 'file:///store', teacher: '/t', student: '/s', dataset: '/rows.jsonl' };
const file = (...stages: readonly unknown[]) => ({ name: 'nightly', store: 'file:///store', stages });
const stages = (...all: readonly object[]) => file(...all.map((stage) => ({ ...importing, ...stage })));

const nested = (levels: number): unknown => Array.from({ length: levels }).reduce((value) => ({ value }), {});

const place = 'an absolute path, or a file:// or s3:// URL';
const rows = `${place}, or an object with from, window, until`;
const absolute = `${place} (the command line makes relative paths absolute before it sends a plan)`;
const aText = 'a value of type string';
const name = '1 to 63 characters of a-z 0-9 . _ -, the first a letter or digit';
const cron = 'five cron fields: minute, hour, day of the month, month, day of the week';

function refusal(content: unknown) {
  try {
    resolvePlan(content, rules);
  } catch (error) {
    if (hasCode(error, 'plan-invalid')) return error;
    throw error;
  }
  throw new Error('expected the plan to be refused');
}

describe('a plan is refused with the place, what was expected there and what was found', () => {
  it.each<[string, unknown, string]>([
    ['nothing', null, 'the plan: expected an object, found null'],
    ['text', 'a secret', `the plan: expected an object, found ${aText}`],
    ['a list', [1, 2], 'the plan: expected an object, found a list of 2'],
    ['no stages', file(), 'stages: expected at least 1 entries, found a list of 0'],
    [
      'no store',
      { name: 'a', stages: [importing] },
      'store: expected a store URL: file:///directory or s3://bucket/prefix, found nothing',
    ],
    [
      'a store that is no store',
      { ...file(importing), store: 'https://secret/' },
      'store: expected a URL that begins with file:// or s3://, found another text',
    ],
    [
      'a bucket that cannot be',
      { ...file(importing), store: 's3://Secret_/' },
      'store: expected the name of a bucket after s3://, found another text',
    ],
    ['a name with a slash', { ...file(importing), name: 'a/secret' }, `name: expected ${name}, found ${aText}`],
    [
      'a misspelt key',
      { ...file(importing), stroe: 1 },
      'stroe: expected a known key (nearest: store), found one that is not known here',
    ],
    [
      'a misspelt key within',
      { ...standard, numerics: { thread: 1 } },
      'numerics.thread: expected a known key (nearest: threads), found one that is not known here',
    ],
    [
      'a key like no other',
      stages({ retry: { somethingElse: 1 } }),
      'stages[0].retry.somethingElse: expected one of the keys initialIntervalMs, backoffCoefficient, maximumIntervalMs, found one that is not known here',
    ],
    [
      'neither stages nor a standard plan',
      { name: 'a', store: 'file:///s', student: '/s' },
      'teacher: expected what the standard plan needs, or stages, found nothing\ndataset: expected what the standard plan needs, or stages, found nothing',
    ],
    [
      'an unknown kind',
      stages({ uses: 'exfiltrate' }),
      'stages[0].uses: expected one of import, import-model, canary, answer, capture-endpoint, fine-tune, capture, distill, evaluate, gate, promote, found exfiltrate',
    ],
    [
      'a misspelt kind',
      stages({ uses: 'imports' }),
      'stages[0].uses: expected one of import, import-model, canary, answer, capture-endpoint, fine-tune, capture, distill, evaluate, gate, promote (nearest: import), found imports',
    ],
    ['a missing option', stages({ with: {} }), `stages[0].with.dataset: expected ${rows}, found nothing`],
    [
      'an unknown option',
      stages({ with: { dataset: '/d', data: 1 } }),
      'stages[0].with.data: expected one of the keys dataset, shardBytes, found one that is not known here',
    ],
    [
      'a misspelt option in a section of the standard plan',
      { ...standard, distill: { temprature: 1 } },
      'distill.temprature: expected a known key (nearest: temperature), found one that is not known here',
    ],
    [
      'an option out of its bounds',
      { ...standard, distill: { crossEntropyShare: 1.5 } },
      'distill.crossEntropyShare: expected at most 1, found 1.5',
    ],
    [
      'a fraction where there is none',
      { ...standard, 'fine-tune': { epochs: 1.5 } },
      'fine-tune.epochs: expected a whole number, found 1.5',
    ],
    [
      'a word that is none of several',
      { ...standard, distill: { divergence: 'secret' } },
      `distill.divergence: expected forward-kl or reverse-kl or an object with jsd, found ${aText}`,
    ],
    [
      'a choice with a misspelt part',
      { ...standard, student: { layers: { evry: 2 } } },
      'student.layers.every: expected a number, found nothing\nstudent.layers.evry: expected a known key (nearest: every), found one that is not known here',
    ],
    [
      'a beginning that is said twice',
      { ...standard, student: { layers: [0] }, 'fine-tune': { start: { random: {} } } },
      'fine-tune.start: expected none, since student says which layers the student begins with, found one',
    ],
    ['a relative path', { ...standard, teacher: 'secret/model' }, `teacher: expected ${absolute}, found ${aText}`],
    [
      'a relative path in a stage',
      stages({ with: { dataset: 'secret.jsonl' } }),
      `stages[0].with.dataset: expected ${absolute}, found ${aText}`,
    ],
    [
      'a path that is none',
      stages({ with: { dataset: 'file:secret.jsonl' } }),
      `stages[0].with.dataset: expected ${absolute}, found ${aText}`,
    ],
    [
      'another host',
      stages({ with: { dataset: 'file://secret/rows.jsonl' } }),
      `stages[0].with.dataset: expected ${absolute}, found ${aText}`,
    ],
    [
      'credentials in a URL',
      stages({ with: { dataset: 's3://me:secret@b/k' } }),
      'stages[0].with.dataset: expected a URL without credentials, found one that has them',
    ],
    [
      'credentials where no URL belongs',
      { ...standard, name: 'https://secret@host/' },
      'name: expected a URL without credentials, found one that has them',
    ],
    [
      'a signed URL',
      { ...standard, dataset: 's3://bucket/rows?X-Amz-Signature=secret' },
      'dataset: expected a URL without credentials, found one that has them',
    ],
    [
      'tiny shards',
      stages({ with: { dataset: '/d', shardBytes: 1 } }),
      'stages[0].with.shardBytes: expected at least 65536, found 1',
    ],
    ['an id twice', stages({}, {}), 'stages[1].id: expected an id of its own, found import'],
    [
      'an unknown need',
      stages({}, { id: 'b', needs: ['imports'] }),
      'stages[1].needs[0]: expected the id of a stage (nearest: import), found imports',
    ],
    [
      'a stage that waits for itself',
      stages({ needs: ['import'] }),
      'stages[0].needs: expected needs without a cycle, found import → import',
    ],
    [
      'a cycle',
      stages({ id: 'a', needs: ['b'] }, { id: 'b', needs: ['c'] }, { id: 'c', needs: ['d', 'b'] }, { id: 'd' }),
      'stages[1].needs: expected needs without a cycle, found b → c → b',
    ],
    [
      'two cycles',
      stages({ id: 'a', needs: ['b'] }, { id: 'b', needs: ['a'] }, { id: 'c', needs: ['c'] }),
      'stages[0].needs: expected needs without a cycle, found a → b → a\nstages[2].needs: expected needs without a cycle, found c → c',
    ],
    [
      'an input that is not taken',
      file(importing, model, { ...tuning, inputs: { ...tuning.inputs, modell: 'model.model' } }),
      'stages[2].inputs.modell: expected an input of fine-tune (nearest: model), found one that it does not take',
    ],
    [
      'an input from a stage that is not needed',
      file(importing, model, { ...model, id: 'other' }, { ...tuning, inputs: { model: 'other.model' } }),
      'stages[3].inputs.model: expected one output of kind model among the needs (model.model), found other.model',
    ],
    [
      'an input of another kind',
      file(importing, model, { ...tuning, inputs: { dataset: 'model.model' } }),
      'stages[2].inputs.dataset: expected one output of kind dataset among the needs (import.dataset), found model.model',
    ],
    [
      'an input that nobody makes',
      file(model, { id: 'tune', uses: 'fine-tune', needs: ['model'] }),
      'stages[1].inputs.dataset: expected one output of kind dataset among the needs, found none',
    ],
    [
      'an input that two make',
      file(importing, { ...importing, id: 'more' }, model, { ...tuning, needs: ['import', 'more', 'model'] }),
      'stages[3].inputs.dataset: expected one output of kind dataset among the needs, found import.dataset, more.dataset',
    ],
    [
      'gates that no stage measures',
      { ...standard, gates: [{ score: 'exact-match', atLeast: 0.5 }] },
      'gates: expected evaluation beside it, the held-out rows that it is about, found nothing',
    ],
    [
      'a cap of money where nothing is spent',
      { ...standard, budget: { spendAtMostUsd: 5 } },
      'budget: expected a stage that takes it, found none in this plan',
    ],
    [
      'parts of the standard plan beside stages',
      { ...file(importing), teacher: '/t', distill: {}, loseAtMost: '5m' },
      ['teacher', 'distill', 'loseAtMost']
        .map((key) => `${key}: expected a stage that takes it, found none in this plan`)
        .join('\n'),
    ],
    [
      'a duration that is none',
      { ...standard, loseAtMost: '5 minutes' },
      `loseAtMost: expected a duration such as 90s, 5m or 2h, or milliseconds, found ${aText}`,
    ],
    [
      'a schedule without a time',
      { ...standard, schedule: {} },
      'schedule: expected either cron or calendar, found an object',
    ],
    [
      'a schedule that cannot be',
      { ...standard, schedule: { cron: '61 * * * *', timeZone: 'Mars/Olympus' } },
      `schedule.cron: expected ${cron}, found ${aText}\nschedule.timeZone: expected the name of a time zone such as Europe/Berlin or UTC, found ${aText}`,
    ],
    [
      'numerics that nobody can give',
      { ...standard, numerics: { runner: 'torch', threads: 0 } },
      `numerics.runner: expected one of tensorflow, wasm, found ${aText}\nnumerics.threads: expected at least 1, found 0`,
    ],
    [
      'numerics that wasm cannot give',
      { ...standard, numerics: { runner: 'wasm', xla: true, precision: 'bfloat16' } },
      'numerics.xla: expected false with the runner wasm, found true\nnumerics.precision: expected float32 with the runner wasm, found bfloat16',
    ],
    [
      'too many stages',
      file(...Array.from({ length: 301 }, (_, index) => ({ ...importing, id: `import-${index}` }))),
      'stages: expected at most 300 entries, found a list of 301',
    ],
    [
      'more levels than mean anything',
      { ...standard, numerics: nested(100_000) },
      'the plan: expected at most 50 levels, found more',
    ],
  ])('%s', (_, content, message) => {
    const error = refusal(content);
    expect(error.message).toBe(message);
    expect(JSON.stringify([error.message, error.details])).not.toMatch(/secret/i);
    expect(error.details['path']).toBe(/^(the plan)?([^:]*):/.exec(message)?.[2]);
  });

  it('tells everything that is wrong at once, with the place of each', () => {
    const error = refusal({
      ...file(
        { ...importing, uses: 'imprt' },
        { ...model, needs: ['nobody'], with: {} },
        { ...model, id: 'b', needs: ['b'] },
      ),
      gates: [{ score: 'exact-match', atLeast: 0.5 }],
      nmae: 1,
    });
    expect(error.message.split('\n')).toHaveLength(6);
    expect(String(error.details['paths']).split('\n')).toEqual([
      'nmae',
      'stages[1].needs[0]',
      'stages[2].needs',
      'gates',
      'stages[0].uses',
      'stages[1].with.model',
    ]);
  });

  it('tells what is wrong elsewhere beside a section that has no shape', () => {
    const gates = [{ score: 'exact-match', atLeast: 0.5 }];
    const error = refusal({ ...standard, numerics: { threads: 0 }, gates, distill: { temprature: 1 } });
    expect(String(error.details['paths']).split('\n')).toEqual(['numerics.threads', 'gates', 'distill.temprature']);
  });

  it('tells a bounded number of things', () => {
    const broken = Array.from({ length: 30 }, (_, index) => ({ id: `i${index}`, uses: 'import', with: {} }));
    expect(
      refusal(file(...broken))
        .message.split('\n')
        .slice(20),
    ).toEqual(['and 10 more']);
  });
});
