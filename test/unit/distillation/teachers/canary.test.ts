/** What canaries say of a teacher: drift where it is asked for its likeliest answer, and a doubt where it can only be asked as it samples. */
import { driftLines, teacherDriftOf } from '../../../../config/teacher-drift.js';
import { teacherEndpointSchema } from '../../../../config/teacher-schema.js';
import { openLedger, Spending, usdOf } from '../../../../distillation/responses/index.js';
import { askCanaries, type CanaryTeacher, type Drift } from '../../../../distillation/teachers/canary.js';
import { openProbedClient } from '../../../../distillation/teachers/probed-client.js';
import { faults, type Asked } from '../../../support/counting-teacher.js';
import { teacherAndStore } from '../../../support/teacher-and-store.js';

const here = teacherAndStore();

async function oneNight(runId: string, given: object = {}, spending = new Spending()): Promise<Drift> {
  const teacher = teacherEndpointSchema.parse({
    endpoint: here.server.endpoint,
    model: 'large',
    revision: '1',
    terms: { licence: 'MIT', allowsTraining: 'yes' },
    canary: { prompts: ['Who are you?', 'Where are you?'] },
    ...given,
  }) as CanaryTeacher;
  const { store } = here.place;
  const ledger = await openLedger(store, { teacher, runId, holder: { stage: runId, fence: 1 } });
  const [client, { signal }] = [openProbedClient(teacher, undefined), new AbortController()];
  try {
    return await askCanaries({ store, teacher, client, ledger, spending, runId, signal });
  } finally {
    await ledger.close();
  }
}

/** As hosted models that reason do. */
const refusesSampling = ({ body }: Asked) => {
  const param = ['temperature', 'top_p'].find((field) => field in body);
  return param === undefined ? undefined : faults.status(400, { code: 'unsupported_value', param });
};
const reasoning = { tokenLimitField: 'max_completion_tokens', omittedFields: ['temperature', 'top_p'] };

it('a teacher that answers otherwise at temperature 0 is another one, and has an identity of its own', async () => {
  expect(await oneNight('one')).toEqual({ prompts: 2, changed: 0, since: 'one', identity: null });
  here.server.answer = (question) => (question.startsWith('Who') ? 'Somebody else.' : `The answer to ${question}`);
  const drift = await oneNight('two');
  expect(drift).toMatchObject({ prompts: 2, changed: 1, since: 'one', identity: expect.stringMatching(/^sha256:/) });
  expect(here.server.asked.map(({ body }) => body)).toEqual(
    Array(4).fill(expect.objectContaining({ temperature: 0, top_p: 1, seed: 0, n: 1, max_tokens: 64 })),
  );
});

it('an endpoint that takes no temperature is told by the field, and asked without it once the plan leaves it out', async () => {
  here.server.faultFor = refusesSampling;
  await expect(oneNight('one')).rejects.toMatchObject({
    code: 'teacher-incapable',
    message: expect.stringContaining(
      'takes temperature as the plan asks, found status 400 (unsupported_value)',
    ) as string,
    remedy: expect.stringContaining('omittedFields') as string,
  });
  const before = here.server.asked.length;
  expect(await oneNight('two', reasoning)).toMatchObject({ prompts: 2, changed: 0, since: 'two', sampled: true });
  expect(here.server.asked.slice(before).map(({ body }) => Object.keys(body).sort())).toEqual(
    Array(2).fill(['max_completion_tokens', 'messages', 'model', 'n', 'seed', 'stream']),
  );
});

it('answers that are drawn prove no drift: those that differ are counted, maybe chance, and nothing is asked anew for them', async () => {
  here.server.faultFor = refusesSampling;
  await oneNight('one', reasoning);
  here.server.answer = () => 'drawn';
  const drift = await oneNight('two', reasoning);
  expect(drift).toEqual({ prompts: 2, changed: 2, since: 'one', sampled: true, identity: null });
  expect(driftLines(teacherDriftOf({ drift: { ...drift } })!)).toEqual([
    '2 of 2 canary prompts are answered otherwise than in run one, maybe by chance: the teacher takes no temperature',
  ]);
});

it('what is asked in other fields is held against a baseline of its own', async () => {
  await oneNight('one');
  here.server.answer = () => 'drawn';
  expect(await oneNight('two', reasoning)).toMatchObject({ changed: 0, since: 'two' });
});

it('a run is told what its own canaries have cost, also those that an attempt before had asked, and not those of other runs', async () => {
  const prices = { inputUsdPerMillion: 1000, outputUsdPerMillion: 2000, asOf: '2026-11-27' };
  await oneNight('one', { prices });
  for (const attempt of ['first', 'second']) {
    const spending = new Spending();
    await oneNight('two', { prices }, spending);
    expect([attempt, usdOf([spending.spent])]).toEqual([attempt, 0.04]);
  }
  expect(here.server.asked).toHaveLength(4);
});
