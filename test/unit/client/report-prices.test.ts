/** What reports say of money: what is computed, from what was paid, and what is not given. */
import { drawReport } from '../../../cli/report/draw-report.js';
import { report, type RunReport } from '../../../client/index.js';
import { stageKeyOf } from '../../../storage/index.js';
import { lesson, RecordedNights } from '../../support/recorded-nights.js';

let nights: RecordedNights;

beforeAll(async () => void (nights = await RecordedNights.open()));
afterAll(() => nights.close());

describe('a report', () => {
  it('takes no price for 0 that was not given, and computes costs from one that was', async () => {
    const { runId, tables, distillationUsd } = await nights.compared(120);
    expect(distillationUsd).toBe('not given');
    expect(tables[0]?.systems.map(({ usdPer1000 }) => usdPer1000)).toEqual(Array(4).fill('not given'));
    const priced = await report({ runId, store: nights.url, usdPerHour: 3.6 });
    // Ten tokens a request: 1 a second at 10 tokens a second, 10 a second at 100.
    expect(priced.tables[0]?.systems.map(({ usdPer1000 }) => usdPer1000)).toEqual(
      [1, 0.1, 0.1, 0.1].map((usd) => expect.closeTo(usd, 9) as number),
    );
    expect(priced.tables[0]?.systems[0]?.breakEvenRequests).toBeNull();
    expect(priced.tables[0]?.systems[2]?.breakEvenRequests).toEqual(expect.any(Number));
  });

  it('does not know what making the student has cost while a stage that was begun has no result', async () => {
    const { recorded } = await nights.begin();
    await recorded.close();
    const whole = await report({ runId: recorded.id, store: nights.url, usdPerHour: 3.6 });
    expect(whole.distillationUsd).toEqual(expect.any(Number));

    const { recorded: failed } = await nights.begin();
    failed.stages['answers'] = stageKeyOf({ kind: 'answer', run: failed.id });
    await failed.close();
    const partial = await report({ runId: failed.id, store: nights.url, usdPerHour: 3.6 });
    expect(partial).toMatchObject({ withoutResult: ['answers'], distillationUsd: 'not given' });
  });

  it('tells what a thousand requests to a priced teacher cost, in its row as well', async () => {
    const begun = await nights.begin();
    const { recorded } = begun;
    await lesson(begun, 'second', {});
    await recorded.node('answers', { kind: 'answer', run: recorded.id }, 'responses', {
      observations: {
        served: { teacher: 4 },
        promptTokens: 400,
        completionTokens: 40,
        spentUsd: 0.002,
        prices: { inputUsdPerMillion: 2, outputUsdPerMillion: 30 },
      },
    });
    await recorded.close();
    const found = await report({ runId: recorded.id, store: nights.url, usdPerHour: 3.6 });
    // 100 tokens in, 10 out: 0.0002 + 0.0003 dollars a request.
    expect(found.teacherUsdPer1000).toBeCloseTo(0.5, 9);
    expect(found.tables[0]?.systems.map(({ system, usdPer1000 }) => [system, usdPer1000])).toEqual([
      ['teacher', expect.closeTo(0.5, 9)],
      ['base', expect.closeTo(0.1, 9)],
    ]);
    expect(drawReport(found, 'en')).toContain('1,000 requests to the teacher cost: $0.5.');
    expect(drawReport(found, 'ja')).toContain('教師への 1,000 回のリクエストの費用: $0.5。');
    expect(drawReport(await report({ runId: 'night-1', store: nights.url }), 'en')).not.toContain(
      'requests to the teacher cost',
    );
  });

  it('counts what every stage has paid an endpoint, and pays off by the sum', async () => {
    const teacherOf = { options: { teacher: { endpoint: 'https://host/v1' } } };
    const reportOf = async (canaryUsd: number | 'not given'): Promise<RunReport> => {
      const begun = await nights.begin();
      const { recorded } = begun;
      await recorded.evaluation('of-second', await lesson(begun, 'second', {}), () => true);
      const paid = { answer: 4, canary: canaryUsd, 'capture-endpoint': 2, evaluate: 1 };
      for (const [kind, spentUsd] of Object.entries(paid))
        await recorded.node(`node-${kind}`, { kind, run: recorded.id, ...teacherOf }, 'told', {
          observations: { spentUsd },
        });
      await recorded.node('own', { kind: 'translate', run: recorded.id }, 'rows', { observations: { spentUsd: 0.25 } });
      await recorded.close();
      return report({ runId: recorded.id, store: nights.url, usdPerHour: 3.6 });
    };
    const found = await reportOf(0.5);
    expect(found.distillationUsd).toBeCloseTo(7.75, 1);
    expect(found.paid).toEqual([
      { node: 'node-answer', usd: 4 },
      { node: 'node-canary', usd: 0.5 },
      { node: 'node-capture-endpoint', usd: 2 },
      { node: 'node-evaluate', usd: 1 },
      { node: 'own', usd: 0.25 },
    ]);
    const [teacher, , distilled] = found.tables[0]?.systems ?? [];
    const saved = (Number(teacher?.usdPer1000) - Number(distilled?.usdPer1000)) / 1000;
    expect(Number(distilled?.breakEvenRequests)).toBe(Math.ceil(Number(found.distillationUsd) / saved));
    expect(drawReport(found, 'en')).toContain(
      'Paid to endpoints, by this run or by an earlier one whose replies it reuses: $7.75 (node-answer $4, node-canary $0.5, ',
    );
    expect(drawReport(found, 'ja')).toContain('エンドポイントへの支払い（この実行、または');

    const unknown = await reportOf('not given');
    expect(unknown.distillationUsd).toBe('not given');
    expect(unknown.tables[0]?.systems[2]?.breakEvenRequests).toBe('not given');
    expect(drawReport(unknown, 'en')).toContain('it reuses: not given (node-answer $4, node-canary not given, ');
  });
});
