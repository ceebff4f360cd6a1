/** Which rows a capture from an endpoint keeps, why it leaves others out, and what it tells while it works. */
import type { Progress } from '../../../../config/child-protocol.js';
import { readDatasetRows } from '../../../../distillation/index.js';
import type { JsonObject } from '../../../../storage/index.js';
import { CountingTeacher, faults } from '../../../support/counting-teacher.js';
import {
  captureAttempt,
  samplesOf,
  tokenizerOf,
  vocabularySize,
  type CaptureGround,
  type EndpointAttempt,
} from '../../../support/endpoint-capture.js';
import { conversationLines } from '../../../support/model-fixtures.js';
import { scoresAs, type ScoringBody } from '../../../support/scoring-teacher.js';
import { TrainingGround } from '../../../support/training-stage.js';

let whole: TrainingGround;
let server: CountingTeacher;
let good: (body: object) => object;
beforeAll(async () => {
  whole = await TrainingGround.create();
  good = scoresAs({ tokenizer: await tokenizerOf(whole), vocabularySize });
});
beforeEach(async () => {
  server = await CountingTeacher.start();
  server.score = good;
});
afterEach(() => server.stop());

const groundOf = async (lines: string): Promise<CaptureGround> => ({
  store: whole.store,
  small: whole.small,
  dataset: await whole.storeConversations(lines),
});

const capture = (ground: CaptureGround, attempt: Omit<EndpointAttempt, 'teacher'> & { readonly parallel?: number }) => {
  const { parallel = 8, ...rest } = attempt;
  return captureAttempt(ground, { ...rest, teacher: { endpoint: server.endpoint, limits: { parallel } } });
};

const line = (id: string, answer: string): string => {
  const messages = [
    { role: 'user', content: `Say it, ${id}.` },
    { role: 'assistant', content: answer },
  ];
  return `${JSON.stringify({ id, messages })}\n`;
};

const idsIn = async ({ store }: CaptureGround, dataset: CaptureGround['dataset']): Promise<string[]> => {
  const ids: string[] = [];
  for await (const { id } of readDatasetRows(store, dataset)) ids.push(id);
  return ids;
};

/** Refuses these samples and no others. */
const refuse = (prompts: readonly Int32Array[]): void => {
  const refused = new Set(prompts.map((ids) => ids.join()));
  server.faultFor = ({ body }) =>
    refused.has((body as unknown as ScoringBody).prompt.join()) ? faults.status(400) : undefined;
};

describe('a row is left out by its own sample, whatever its id looks like', () => {
  it('one whose id ends as that of a piece does takes no other with it', async () => {
    const ground = await groundOf(line('answer', 'One.') + line('answer#1', 'Two.') + line('other', 'Three.'));
    const samples = await samplesOf(ground);
    refuse(samples.filter(({ id }) => id === 'answer#1').map(({ ids }) => ids));
    const { dataset } = await capture(ground, { name: 'numbered', with: { minimumAligned: 0.5 } });
    expect(await idsIn(ground, dataset)).toEqual(['answer', 'other']);
  });

  it('one that was split is left out by any of its pieces, and a row with the id of that piece stays', async () => {
    const long = Array.from({ length: 60 }, (_, word) => `word ${word}`).join(' ');
    const ground = await groundOf(line('long', long) + line('long#2', 'Short.') + line('other', 'Three.'));
    const pieces = await samplesOf(ground, Infinity, 'split');
    expect(pieces.map(({ id, pieceOf }) => [id, pieceOf])).toEqual(
      expect.arrayContaining([
        ['long#1', 'long'],
        ['long#2', 'long'],
        ['long#2', undefined],
        ['other', undefined],
      ]),
    );
    refuse(pieces.filter(({ id, pieceOf }) => id === 'long#2' && pieceOf === 'long').map(({ ids }) => ids));
    const { dataset, facts } = await capture(ground, {
      name: 'split',
      with: { minimumAligned: 0.5, tooLong: 'split' },
    });
    expect(await idsIn(ground, dataset)).toEqual(['long#2', 'other']);
    expect(facts).toMatchObject({ unaligned: { rejected: 1 } });
  });
});

it('each reason is counted under its own name: too few ids at a position, none that the student has', async () => {
  const ground = await groundOf(conversationLines(6));
  const [first, second, third] = await samplesOf(ground, 3);
  const place = 3;
  const foreign = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [vocabularySize + at, { logprob: -2.5 }]));
  /** Of the token at that place only what is given is said. */
  const saidOf = new Map<string, JsonObject>([
    [first!.ids.join(), { [first!.ids[place]!]: { logprob: -1 } }],
    [second!.ids.join(), { ...foreign, [second!.ids[place]!]: { logprob: -20 } }],
    // The student has the last of the eight, which is not probable at all.
    [third!.ids.join(), { ...foreign, [vocabularySize]: { logprob: -1e4 }, [third!.ids[place]!]: { logprob: -9999 } }],
  ]);
  server.score = (body) => {
    const said = good(body) as { choices: { prompt_logprobs: (JsonObject | null)[] }[] };
    const changed = saidOf.get((body as ScoringBody).prompt.join());
    if (changed) said.choices[0]?.prompt_logprobs.splice(place, 1, changed);
    return said;
  };
  const { facts } = await capture(ground, { name: 'reasons', with: { minimumAligned: 0.5 } });
  expect(facts).toMatchObject({ unaligned: { 'too-few': 1, vocabulary: 2 } });
});

it('log-probabilities of nothing end it: a target of zeros teaches nothing', async () => {
  const ground = await groundOf(conversationLines(1));
  server.score = scoresAs({ tokenizer: await tokenizerOf(ground), vocabularySize, distort: () => -9999 });
  await expect(capture(ground, { name: 'zeros' })).rejects.toMatchObject({
    code: 'distribution-invalid',
    message: 'sample "row-0", position 0: expected a captured mass above 0, found log-probabilities of nothing',
  });
});

it('the facts tell how much of the mass is held, position by position, and how many bytes a token takes', async () => {
  const ground = await groundOf(conversationLines(3));
  const { facts, logits } = await capture(ground, { name: 'facts' });
  const { tokens, distributions } = facts as { tokens: number; distributions: number };
  expect(distributions).toBe(tokens - 3);
  expect(facts['bytesPerToken']).toBeCloseTo(logits.bytes / tokens, 2);
  // Of each position 8 ids, which hold 1 − 2^−8.
  const [{ histogram }] = facts['capturedMass'] as unknown as [{ histogram: JsonObject[] }];
  expect(histogram.filter(({ positions }) => positions !== 0)).toEqual([
    { from: 0.99, to: 0.999, positions: distributions },
  ]);
});

it('while it works it is in one phase after another, also where shards are closed, and says how far it is', async () => {
  const ground = await groundOf(conversationLines(10));
  const told: Progress[] = [];
  await capture(ground, {
    name: 'phases',
    parallel: 2,
    with: { shardBytes: 4096 },
    onProgress: (progress) => told.push(progress),
  });
  const phases = told.map(({ phase }) => phase).filter((phase, at, all) => phase !== all[at - 1]);
  expect(phases).toEqual(['load', 'restore', 'capture', 'compact', 'seal']);
  const last = (phase: string) => told.findLast((progress) => progress.phase === phase);
  expect(last('capture')).toMatchObject({
    facts: { done: 10, of: 10, unit: 'samples', calls: 10 },
    durable: { step: 10, fence: 1 },
  });
  expect(last('compact')).toMatchObject({ facts: { read: 10, done: 10, unit: 'responses' } });
});
