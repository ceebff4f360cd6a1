/** What a capture makes of what an endpoint says: rows, of which nothing is bought twice. */
import { readDatasetRows } from '../../../../distillation/index.js';
import { capturedOf } from '../../../../evaluation/report/index.js';
import { faults } from '../../../support/counting-teacher.js';
import {
  samplesOf,
  scoredEndpoint,
  storedFor,
  vocabularySize,
  type EndpointAttempt,
} from '../../../support/endpoint-capture.js';
import { entriesAbout, scoresAs, type ScoringBody } from '../../../support/scoring-teacher.js';

const k = 8;
/** Every reply is made durable several times over. */
const rows = 10;
const here = scoredEndpoint(rows);
const { says, capture } = here;

const bodies = (): ScoringBody[] => here.server.asked.map(({ body }) => body as unknown as ScoringBody);

it('the tokens of every sample are asked about as they are, and the most probable ids at each position kept', async () => {
  const { logits, dataset, facts } = await capture({ name: 'good', with: { valueType: 'float32' } });
  const samples = await samplesOf(here.ground);
  expect(bodies().map(({ prompt }) => prompt.join())).toEqual(
    expect.arrayContaining(samples.map(({ ids }) => [...ids].join())),
  );
  expect(bodies()[0]).toMatchObject({
    model: 'large',
    prompt_logprobs: k,
    max_tokens: 1,
    temperature: 0,
    stream: false,
  });
  for (const { next, ids, logProbabilities, missingMass } of await storedFor(here.ground, logits, samples)) {
    const expected = entriesAbout(next, k, vocabularySize).slice(0, k);
    expect(ids).toEqual(expected.map(({ id }) => id));
    expected.forEach(({ logprob }, at) => expect(logProbabilities[at]).toBeCloseTo(logprob, 5));
    expect(missingMass).toBeCloseTo(2 ** -k, 6);
  }
  const positions = samples.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  expect(facts).toMatchObject({
    rows,
    distributions: positions,
    k,
    vocabularySize,
    unalignedShare: 0,
    unaligned: {},
  });
  expect(facts['capturedMass']).toMatchObject([{ temperature: 1, mean: expect.closeTo(1 - 2 ** -k, 4) }]);
  expect(dataset).toEqual(here.ground.dataset);
  expect(capturedOf(facts)).toMatchObject({ rows, positions, k, unaligned: { of: 'endpoint', share: 0, reasons: {} } });
});

it('tokens that are named by their texts give the same rows as those that are named by ids', async () => {
  // Every token of the reply has a text of its own.
  const nameOf = (id: number): string => `token_id:${id}`;
  const byIds = await capture({ name: 'by ids' });
  says({ nameOf });
  const given = { omittedFields: ['temperature'] };
  const byTexts = await capture({ name: 'by texts', with: { form: 'echo' }, teacher: given });
  expect(bodies().at(-1)).toMatchObject({ echo: true, logprobs: k, max_tokens: 0 });
  expect(bodies().at(-1)).not.toHaveProperty('temperature');
  expect(byTexts.logits.digest).toBe(byIds.logits.digest);
});

it('a text that is that of two ids, or of none, names no token: its sample is unaligned', async () => {
  says({ nameOf: (id) => (id % 7 === 3 ? '\uFFFD' : `token_id:${id}`) });
  await expect(capture({ name: 'ambiguous', with: { form: 'echo' } })).rejects.toMatchObject({
    code: 'capture-unaligned',
    fault: 'user',
  });
});

describe('what is recorded is not asked again', () => {
  it('by another stage, and not by another endpoint or k alone', async () => {
    await capture({ name: 'first' });
    expect(here.server.asked).toHaveLength(rows);
    await capture({ name: 'second', with: { valueType: 'float32' } });
    expect(here.server.asked).toHaveLength(rows);
    await capture({ name: 'third', with: { k: 4 } });
    expect(here.server.asked).toHaveLength(2 * rows);
  });

  it('but what a teacher said before it drifted is: that is of another teacher', async () => {
    await capture({ name: 'before' });
    await capture({ name: 'after', drift: 'sha256:other' });
    expect(here.server.asked).toHaveLength(2 * rows);
    await capture({ name: 'as before' });
    expect(here.server.asked).toHaveLength(2 * rows);
  });

  it('by the next attempt: neither samples in shards nor single replies', async () => {
    const onProgress: EndpointAttempt['onProgress'] = ({ phase, facts: { done = 0 } = {} }, abort) => {
      if (phase === 'capture' && done >= 5) abort.abort(Object.assign(new Error('stop'), { code: 'stopped' }));
    };
    const attempt = { name: 'cut off', with: { shardBytes: 4096 }, teacher: { limits: { parallel: 2 } } } as const;
    await expect(capture({ ...attempt, onProgress })).rejects.toMatchObject({ code: 'stopped' });
    expect(here.server.asked.length).toBeLessThan(rows);
    const { facts, logits } = await capture(attempt);
    expect(here.server.asked).toHaveLength(rows);
    const undisturbed = await capture({ ...attempt, name: 'undisturbed' });
    expect([logits.digest, facts]).toEqual([undisturbed.logits.digest, undisturbed.facts]);
  });
});

it('the budget counts it: the cap stops it, and a higher one pays only for what is missing', async () => {
  const prices = { inputUsdPerMillion: 1000, outputUsdPerMillion: 1000, asOf: '2026-11-27' };
  const attempt = { teacher: { prices, limits: { parallel: 1 } } };
  await expect(capture({ ...attempt, name: 'poor', capUsd: 0.2 })).rejects.toMatchObject({ code: 'budget-exhausted' });
  const bought = here.server.asked.length;
  expect(bought).toBeGreaterThan(0);
  expect(bought).toBeLessThan(rows);
  const { spentUsd } = await capture({ ...attempt, name: 'rich', capUsd: 100 });
  expect(here.server.asked).toHaveLength(rows);
  const tokens = bodies().reduce((sum, { prompt }) => sum + prompt.length, 0);
  expect(spentUsd).toBeCloseTo((tokens + rows) / 1000, 6);
});

it('calls that break are tried again, within the limits', async () => {
  here.server.next(
    faults.halfReply,
    faults.hangUp,
    faults.status(503),
    faults.status(429, { headers: { 'retry-after': '0' } }),
  );
  const { logits } = await capture({ name: 'broken calls', teacher: { limits: { attempts: 5, parallel: 3 } } });
  expect(logits.rows).toBe(rows);
  expect(here.server.asked).toHaveLength(rows + 4);
  expect(here.server.mostAtOnce).toBeLessThanOrEqual(3);
});

it('samples that do not fit are counted by reason, and their rows are in neither the logits nor the dataset', async () => {
  const [first, second, third] = await samplesOf(here.ground, 3);
  const promptOf = (body: object): string => (body as ScoringBody).prompt.join();
  const good = scoresAs({ tokenizer: here.tokenizer, vocabularySize });
  here.server.faultFor = ({ body }) => (promptOf(body) === [...first!.ids].join() ? faults.status(400) : undefined);
  here.server.score = (body) => {
    const { prompt } = body as ScoringBody;
    if (promptOf(body) === [...second!.ids].join()) return good({ ...body, prompt: prompt.slice(1) });
    if (promptOf(body) === [...third!.ids].join())
      return good({ ...body, prompt: [...prompt.slice(0, -1), 5, 6].slice(0, prompt.length) });
    return good(body);
  };
  const { logits, dataset, facts } = await capture({ name: 'misfits', with: { minimumAligned: 0.7 } });
  expect(facts).toMatchObject({ unalignedShare: 0.3, unaligned: { rejected: 1, length: 1, token: 1 } });
  expect([logits.rows, dataset.rows]).toEqual([rows - 3, rows - 3]);
  const ids: string[] = [];
  for await (const { id } of readDatasetRows(here.ground.store, dataset)) ids.push(id);
  expect(ids).toEqual(Array.from({ length: rows - 3 }, (_, index) => `row-${index + 3}`));
});

it('ids that the student does not have are cut off, and the others scaled to 1', async () => {
  const notUnlikely = (id: number): number => ((id - (id % 7)) % (vocabularySize - 10)) + 1;
  // The most probable id of every position is beyond the vocabulary of the student.
  here.server.score = (body) => {
    const { prompt, prompt_logprobs: count = 0 } = body as ScoringBody;
    const about = (id: number) => [
      { id: vocabularySize, logprob: Math.log(0.5) },
      ...entriesAbout(notUnlikely(id), count - 1, vocabularySize).map((entry) => ({
        ...entry,
        logprob: entry.logprob - Math.log(2),
      })),
      { id, logprob: -20 },
    ];
    const positions = prompt.map((id, place) =>
      place === 0
        ? null
        : Object.fromEntries(
            about(id)
              .toReversed()
              .map((entry) => [entry.id, { logprob: entry.logprob }]),
          ),
    );
    return { model: 'large', choices: [{ finish_reason: 'length', prompt_logprobs: positions }] };
  };
  const { logits } = await capture({ name: 'cut', with: { valueType: 'float32' } });
  for (const { next, ids, logProbabilities } of await storedFor(here.ground, logits, await samplesOf(here.ground, 5))) {
    expect(ids.slice(0, 2)).toEqual([notUnlikely(next), notUnlikely(next) + 1]);
    expect(logProbabilities[0]).toBeCloseTo(Math.log(0.5), 5);
    expect(logProbabilities.at(-1)).toBe(-Infinity);
  }
});
