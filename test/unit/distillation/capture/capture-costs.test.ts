/** What a capture says that its replies have cost: over all its attempts, each reply once, whoever has bought it. */
import type { Tokenizer } from '../../../../engine/index.js';
import { CountingTeacher } from '../../../support/counting-teacher.js';
import {
  captureAttempt,
  tokenizerOf,
  vocabularySize,
  type EndpointAttempt,
} from '../../../support/endpoint-capture.js';
import { conversationLines } from '../../../support/model-fixtures.js';
import { scoresAs, type ScoringBody } from '../../../support/scoring-teacher.js';
import { TrainingGround } from '../../../support/training-stage.js';

let ground: TrainingGround;
let tokenizer: Tokenizer;
let server: CountingTeacher;
beforeAll(async () => {
  ground = await TrainingGround.create();
  const dataset = await ground.storeConversations(conversationLines(1));
  tokenizer = await tokenizerOf({ store: ground.store, small: ground.small, dataset });
});
// At another port each time: an endpoint of its own, of which nothing is recorded.
beforeEach(async () => {
  server = await CountingTeacher.start();
  server.score = scoresAs({ tokenizer, vocabularySize });
});
afterEach(() => server.stop());

const bodies = (): ScoringBody[] => server.asked.map(({ body }) => body as unknown as ScoringBody);

describe('what the replies have cost', () => {
  const prices = { inputUsdPerMillion: 1000, outputUsdPerMillion: 1000, asOf: '2026-11-27' };
  const attempt = { with: { shardBytes: 4096 }, teacher: { prices, limits: { parallel: 4 } } } as const;
  const usdOfAsked = (): number => bodies().reduce((tokens, { prompt }) => tokens + prompt.length + 1, 0) / 1000;
  const captureOf = async (lines: string, { teacher, ...more }: Partial<EndpointAttempt> & { readonly name: string }) =>
    captureAttempt(
      { store: ground.store, small: ground.small, dataset: await ground.storeConversations(lines) },
      { ...more, teacher: { endpoint: server.endpoint, ...teacher } },
    );

  it('counts those of an attempt that was cut off, and of which the next one reads no reply', async () => {
    // The rows of the first group are in shards when it is cut off in the second, which asks anew: twelve questions in all.
    const distinct = conversationLines(12).trimEnd().split('\n');
    const long = Array.from({ length: 140 }, (_, row) => {
      const line = distinct[row < 128 ? row % 8 : 8 + (row % 4)] ?? '';
      return `${line.replace(/"id":"[^"]*"/, `"id":"row-${row}"`)}\n`;
    }).join('');
    const onProgress: EndpointAttempt['onProgress'] = ({ phase, facts: { done = 0 } = {} }, abort) => {
      if (phase === 'capture' && done > 128) abort.abort(Object.assign(new Error('stop'), { code: 'stopped' }));
    };
    const one = { ...attempt, name: 'costs, cut off' };
    await expect(captureOf(long, { ...one, onProgress })).rejects.toMatchObject({ code: 'stopped' });
    const { observed, spentUsd } = await captureOf(long, one);
    expect(Object.values(observed.served)).toEqual([expect.any(Number)]);
    expect(observed.served['large']).toBeLessThan(70);
    expect(spentUsd).toBeCloseTo(usdOfAsked(), 6);
  });

  it('counts a reply once that several samples of the same tokens share, and one that another stage has bought', async () => {
    const line = conversationLines(1);
    const twice = line + line.replace('"id":"', '"id":"again-');
    const { logits, spentUsd } = await captureOf(twice, { ...attempt, name: 'shared' });
    expect(logits.rows).toBe(2);
    expect(server.asked).toHaveLength(1);
    expect(spentUsd).toBeCloseTo(usdOfAsked(), 6);
    expect((await captureOf(twice, { ...attempt, name: 'shared, reused' })).spentUsd).toBe(spentUsd);
    expect(server.asked).toHaveLength(1);
  });

  it('is not known where a reply was bought without a price', async () => {
    await captureOf(conversationLines(1), { name: 'without prices' });
    expect((await captureOf(conversationLines(1), { ...attempt, name: 'with prices' })).spentUsd).toBeUndefined();
  });
});
