/** An endpoint that cannot give what a plan needs of it is found out before its answers are bought, by one request and in no quiet night. */
import { answer } from '../../../activities/answer.js';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { identifyStage } from '../../../activities/stage-key.js';
import { answerOptions } from '../../../config/answer-options.js';
import type { Json } from '../../../config/json.js';
import { answerStage } from '../../../plugins/answer-stage.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import type { JsonObject } from '../../../storage/index.js';
import { faults, type CountingTeacher, type Fault } from '../../support/counting-teacher.js';
import { entriesAbout, type ScoringBody } from '../../support/scoring-teacher.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { teacherAndStore } from '../../support/teacher-and-store.js';

const k = 50;
const rows = 3;
const here = teacherAndStore();

/** So many of the most probable ids at each position. */
const gives =
  (most: number) =>
  (body: object): object => {
    const { model, prompt } = body as ScoringBody;
    const positions = prompt.map((id, at) =>
      at === 0 ? null : Object.fromEntries(entriesAbout(id, most, 1024).map((entry) => [entry.id, entry])),
    );
    const usage = { prompt_tokens: prompt.length, completion_tokens: 1 };
    return { model, usage, choices: [{ text: 'a', finish_reason: 'length', prompt_logprobs: positions }] };
  };

const prices = { inputUsdPerMillion: 1000, outputUsdPerMillion: 1000, asOf: '2026-11-27' };
const optionsOf = (more: JsonObject = {}) =>
  answerOptions.parse({
    teacher: {
      endpoint: here.server.endpoint,
      model: 'large',
      revision: '1',
      terms: { licence: 'MIT', allowsTraining: 'yes' },
      limits: { attempts: 1 },
      prices,
    },
    scoring: [{ form: 'prompt_logprobs', k }],
    ...more,
  });

/** The work of the stage, as an attempt does it. Another name is another stage over the same prompts, and as many more. */
async function attempt(name: string, prompts = rows, more: JsonObject = {}) {
  const { store } = here.place;
  const writer = await claim(store, stageKeyOf(name));
  const lines = Array.from({ length: prompts }, (_, row) => {
    const messages = [{ role: 'user', content: `question ${row}` }];
    return `${JSON.stringify({ id: `q${row}`, messages })}\n`;
  });
  const part = { ...(await writer.putBlob(Buffer.from(lines.join('')))), rows: prompts };
  const meta = { format: 'nightstill-messages-1' };
  return answer({
    options: optionsOf(more),
    inputs: { dataset: await writer.putArtifact({ kind: 'dataset', parts: [part], meta }), identity: undefined },
    makers: {},
    preimage: {},
    runId: name,
    store,
    writer,
    progress: () => undefined,
    signal: new AbortController().signal,
  });
}

const askedFor = (): readonly string[] =>
  here.server.asked.map(({ body }) => ('prompt' in body ? 'scores' : 'an answer'));

const vllm = 'Requested prompt logprobs of 50, which is greater than max allowed: 20';
const refusal = JSON.stringify({ error: { message: vllm, param: null } });
const refuses: Fault = (response) => void response.writeHead(400, { 'content-type': 'application/json' }).end(refusal);
const without = (): object => ({ model: 'large', choices: [{ text: 'a', finish_reason: 'length' }] });

const bad: [string, Pick<CountingTeacher, 'score'> & { readonly fault?: Fault }, string][] = [
  ['gives fewer than are needed', { score: gives(20) }, 'teacher-logprobs-capped'],
  ['refuses so many', { score: gives(20), fault: refuses }, 'teacher-logprobs-capped'],
  ['gives none for its prompts', { score: without }, 'teacher-logprobs-missing'],
  ['has no completions at all', { score: undefined }, 'teacher-missing'],
  ['refuses ids as a prompt', { score: gives(k), fault: faults.status(400) }, 'teacher-incapable'],
];

it.each(bad)('an endpoint that %s: no answer is bought of it', async (name, { score, fault }, code) => {
  here.server.score = score;
  here.server.faultFor = () => fault;
  await expect(attempt(name)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(/^asked before any answer, for a stage that captures its distributions: /),
  });
  expect(askedFor()).toEqual(score ? ['scores'] : []);
});

describe('an endpoint that gives them', () => {
  beforeEach(() => void (here.server.score = gives(k)));

  it('is asked once, before its first answer, and the request is paid for as any other', async () => {
    const { observations } = await attempt('good', rows, { budget: { spendAtMostUsd: 10 } });
    expect(askedFor()).toEqual(['scores', ...Array<string>(rows).fill('an answer')]);
    expect(here.server.asked[0]?.body).toMatchObject({
      prompt: [1, 2, 3, 4, 5, 6, 7, 8],
      prompt_logprobs: k,
      max_tokens: 1,
    });
    expect(observations).toMatchObject({
      capabilities: { scoring: [{ form: 'prompt_logprobs', k }] },
      calls: { answered: rows + 1, possiblyPaidTwice: { calls: 0 } },
      // Of the request 8 tokens and the one that it gets, of each answer 10 and 5.
      spentUsd: (8 + 1 + rows * (10 + 5)) / 1000,
    });
  });

  it('is not asked again by another run, attempt or plan', async () => {
    await attempt('first');
    await attempt('second', rows + 1);
    expect(askedFor()).toEqual(['scores', ...Array<string>(rows + 1).fill('an answer')]);
  });
});

it('where every answer is recorded nobody is asked: an endpoint that is away, or gives none, fails no such stage', async () => {
  await attempt('without', rows, { scoring: [] });
  expect(askedFor()).toEqual(Array<string>(rows).fill('an answer'));
  here.server.faultFor = () => faults.hangUp;
  const { outputs, observations } = await attempt('with');
  expect(outputs.dataset.rows).toBe(rows);
  expect(observations).toMatchObject({ capabilities: 'nothing was asked' });
  expect(here.server.asked).toHaveLength(rows);
});

it('what others will ask changes no answer, and so no key', async () => {
  const keyWith = async (options: Json) =>
    (await identifyStage(answerStage.kind, { with: options as JsonObject, inputs: {} })).stageKey;
  expect(await keyWith(optionsOf())).toBe(await keyWith(optionsOf({ scoring: [] })));
});

it('a plan that will ask an endpoint for log-probabilities says so to the stage that buys its answers, and to none of another endpoint', () => {
  const terms = { licence: 'MIT', allowsTraining: 'yes' };
  const teacher = { endpoint: 'https://host/v1', model: 'large', revision: '1', terms };
  const rules = { kinds: builtInStages.map(({ kind }) => kind), queuePrefix: 'night' };
  const scoringOf = (content: object, id = 'answer') =>
    resolvePlan(content, rules).plan.nodes.find((node) => node.id === id)?.with['scoring'];
  const top = { name: 'nightly', store: 'file:///store', dataset: '/rows.jsonl', teacher };
  const plan = { ...top, student: '/s' };
  expect(scoringOf(plan)).toBeUndefined();
  expect(scoringOf({ ...plan, capture: { k: 5 } })).toEqual([{ form: 'prompt_logprobs', k: 5 }]);

  const stages = [
    { id: 'import', uses: 'import' },
    { id: 'student', uses: 'import-model', with: { model: '/models/student' } },
    { id: 'answer', uses: 'answer', needs: ['import'] },
    { id: 'other', uses: 'answer', needs: ['import'], with: { teacher: { ...teacher, model: 'another' } } },
    { id: 'told', uses: 'answer', needs: ['import'], with: { scoring: [] } },
    ...[4, 8, 8].map((kept, number) => ({
      id: `capture-${number}`,
      uses: 'capture-endpoint',
      needs: ['answer', 'student'],
      inputs: { dataset: 'answer.dataset', student: 'student.model' },
      with: { k: kept, form: 'echo' },
    })),
  ];
  const own = { ...top, stages };
  expect(scoringOf(own)).toEqual([
    { form: 'echo', k: 4 },
    { form: 'echo', k: 8 },
  ]);
  expect(scoringOf(own, 'other')).toBeUndefined();
  expect(scoringOf(own, 'told')).toEqual([]);
});
