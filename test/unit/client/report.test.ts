/** Reports of runs whose results lie in a store: artifacts, seals and records as stages leave them. */
import { drawReport } from '../../../cli/report/draw-report.js';
import { report } from '../../../client/index.js';
import { linesOf } from '../../../evaluation/evaluate/item-result.js';
import { digestOf, promote, type JsonObject } from '../../../storage/index.js';
import { lesson, RecordedNights } from '../../support/recorded-nights.js';
import { items } from '../../support/recorded-run.js';

let nights: RecordedNights;

beforeAll(async () => void (nights = await RecordedNights.open()));
afterAll(() => nights.close());

describe('a report', () => {
  it('names the systems by how they were made, with scores, intervals, agreement, sizes and latencies', async () => {
    const { tables, ...found } = await nights.compared(120);
    expect(found).toMatchObject({ plan: 'nightly', status: 'completed', withoutResult: [], verdicts: [] });
    const [{ systems, items: counted, scorer } = { systems: [], items: 0, scorer: '' }] = tables;
    expect({ tables: tables.length, scorer, counted }).toEqual({ tables: 1, scorer: 'exact-match@1', counted: items });
    expect(systems.map(({ system, maker, right, agreement }) => [system, maker, right, agreement])).toEqual([
      ['teacher', 'large', 180, 1],
      ['base', 'small', 0, 0],
      ['distilled', 'second', 150, 0.75],
      ['control', 'other', 120, 0.6],
    ]);
    // Wilson's interval of 180 of 200, computed apart from this project.
    expect(systems[0]?.interval.lower).toBeCloseTo(0.8506, 4);
    expect(systems[0]?.interval.upper).toBeCloseTo(0.9343, 4);
    expect(systems[0]).toMatchObject({
      parameters: 4_000_000,
      weightBytes: 4_000_000,
      latencyP50Ms: 80,
      sideBySide: 8,
    });
    expect(systems[1]).toMatchObject({ latencyP50Ms: null, latencyP95Ms: null, tokensPerSecond: 100 });
  });

  it.each([
    [120, 30, 0, 'better'],
    [149, 1, 0, 'no-difference-shown'],
    [180, 1, 31, 'worse'],
  ] as const)('says of a control that is right on %d what the items show', async (right, gained, lost, conclusion) => {
    const [difference] = (await nights.compared(right)).tables[0]?.differences ?? [];
    expect(difference).toMatchObject({ candidate: 'of-second', control: 'of-other', method: 'tango', conclusion });
    expect(difference?.estimate).toBeCloseTo((150 - right) / items, 12);
    expect((difference?.gained ?? 0) - (difference?.lost ?? 0)).toBe(150 - right);
    expect([difference?.gained, difference?.lost]).toEqual([gained, lost]);
  });

  it('warns of a control that differs from the distillation in more than α', async () => {
    expect((await nights.compared(120)).tables[0]?.differences[0]?.otherDifferences).toEqual([]);
    const unlike = await nights.compared(120, { steps: 99 });
    expect(unlike.tables[0]?.differences[0]?.otherDifferences).toEqual(['steps: 50 → 99']);
    expect(drawReport(unlike, 'en')).toContain('differ in more than α');
    expect(drawReport(unlike, 'ja')).toContain('α 以外にも');
  });

  it('tells how far each model is from the teacher, or why there is no number', async () => {
    const begun = await nights.begin();
    const { recorded } = begun;
    const kd = await lesson(begun, 'second', {});
    const ce = await lesson(begun, 'other', { crossEntropyShare: 1 });
    const interval = { lower: 0.1204, upper: 0.1396, level: 0.95 };
    const forwardKl = { text: 'references', items: 198, unmeasured: 2, tokens: 900, mean: 0.13, interval };
    await recorded.evaluation('of-second', kd, () => true, { facts: { forwardKl } });
    const unlike = { forwardKl: { notComparable: 'tokenizers-differ' } };
    await recorded.evaluation('of-other', ce, () => true, { facts: unlike });
    await recorded.close();
    const found = await report({ runId: recorded.id, store: nights.url });
    expect(found.tables[0]?.systems.map((each) => each.forwardKl)).toEqual([
      null,
      null,
      { mean: 0.13, interval, items: 198, unmeasured: 2 },
      { notComparable: 'tokenizers-differ' },
    ]);
    const [english, japanese] = [drawReport(found, 'en'), drawReport(found, 'ja')];
    expect(english).toContain('0.130 (0.120 – 0.140)');
    expect(english).toContain('not comparable: the tokenizers of teacher and student differ.');
    expect(japanese).toContain('教師と生徒のトークナイザーが異なります。');
  });

  it('tells how many answers of its training a student recites, beside the held-out ones that the teacher gave too', async () => {
    const begun = await nights.begin();
    const { recorded } = begun;
    const kd = await lesson(begun, 'second', {});
    const ce = await lesson(begun, 'other', { crossEntropyShare: 1 });
    const learned = { options: { sample: items }, dataset: { dataset: digestOf('rows') } };
    await recorded.evaluation('of-second', kd, (item) => item < 50);
    await recorded.evaluation('of-other', ce, (item) => item >= 150);
    await recorded.evaluation('recited', kd, (item) => item < 120, learned);
    await recorded.evaluation('recited-too', ce, (item) => item < 40, learned);
    // A sample of other rows is a score like any other.
    await recorded.evaluation('aside', ce, () => true, { options: { sample: 5 }, dataset: { dataset: digestOf('x') } });
    await recorded.close();
    const found = await report({ runId: recorded.id, store: nights.url });
    expect(found.tables.map(({ systems }) => systems.map(({ evaluation }) => evaluation))).toEqual([
      ['of-large', 'of-small', 'of-second', 'of-other'],
      ['aside'],
    ]);
    const ofTeacher = { against: 'teacher', items };
    expect(found.reproductions).toMatchObject([
      { system: 'distilled', maker: 'second', trained: { reproduced: 120 }, heldOut: { ...ofTeacher, reproduced: 50 } },
      // The teacher has another answer to the last twenty.
      { system: 'control', maker: 'other', trained: { reproduced: 40 }, heldOut: { ...ofTeacher, reproduced: 30 } },
    ]);
    expect(found.reproductions[0]?.gap?.estimate).toBeCloseTo(0.35, 12);
    expect(found.reproductions[0]?.gap?.interval.lower).toBeGreaterThan(0.2);
    const [english, japanese] = [drawReport(found, 'en'), drawReport(found, 'ja')];
    for (const text of [english, japanese]) {
      expect(text).toContain('120/200 = 60.0 % (');
      expect(text).toContain('+35.0 pp (+');
    }
    expect(english).toContain('answers of the teacher');
    expect(english).toContain('A large gap: the model recites what it was taught.');
    expect(japanese).toContain('差が大きいモデルは、教えられた回答を暗唱しています。');
  });

  it('tells what a capture has kept: a line a fact, and how the mass is spread at each temperature', async () => {
    const { recorded } = await nights.begin();
    const massAt = (temperature: number, mean: number, positions: readonly number[]) => ({
      temperature,
      mean,
      histogram: positions.map((found, bin) => ({
        from: [0, 0.5, 0.999][bin]!,
        to: [0.5, 0.999, 1][bin]!,
        positions: found,
      })),
    });
    const facts = { rows: 300, tokens: 12_600, distributions: 12_300, k: 10, bytesPerToken: 42.47 };
    const kept = async (node: string, told: JsonObject): Promise<unknown> =>
      recorded.node(node, { kind: 'capture', run: nights.count, node }, 'logits', { facts: { ...facts, ...told } });
    await kept('distributions', {
      capturedMass: [massAt(1, 0.987, [123, 0, 12_177]), massAt(2, 0.9, [1230, 11_070, 0])],
      unalignedShare: 0.0133,
      unaligned: { text: 3, rejected: 1 },
    });
    await kept('of-a-directory', { capturedMass: [massAt(1, 1, [0, 0, 12_300])], unalignedShare: null });
    await recorded.close();
    const found = await report({ runId: recorded.id, store: nights.url });
    expect(found.captures.map(({ node, unaligned }) => [node, unaligned])).toEqual([
      ['distributions', { of: 'endpoint', share: 0.0133, reasons: { text: 3, rejected: 1 } }],
      ['of-a-directory', { of: 'model', share: null }],
    ]);
    const [english, japanese] = [drawReport(found, 'en'), drawReport(found, 'ja')];
    expect(english).toContain(
      [
        'Distributions of the teacher (distributions): the 10 most probable ids at each of 12,300 positions, in 300 rows',
        '  Bytes a token: 42.47',
        '  Rows unaligned, and left out: 1.3 % (text 3, rejected 1)',
        '  Captured mass, on average: 98.7 % (T = 1), 90.0 % (T = 2)',
        '  captured mass  positions at T = 1  positions at T = 2',
        '  ─────────────  ──────────────────  ──────────────────',
        '  0 – 50 %       123 (1.0 %)         1,230 (10.0 %)',
        '  50 – 99.9 %    0 (0.0 %)           11,070 (90.0 %)',
        '  99.9 – 100 %   12,177 (99.0 %)     0 (0.0 %)',
      ].join('\n'),
    );
    expect(english).toContain("the teacher's own chat template would write otherwise: not known\n");
    expect(japanese).toContain(
      '  1 トークンあたりのバイト数: 42.47\n  整合せず除外した行: 1.3 %（text 3, rejected 1）\n',
    );
    expect(japanese).toContain('教師自身のチャットテンプレートでは異なる表記になる行: 不明\n');
    expect(japanese).toMatch(/捉えた確率質量 {2}位置の数（T = 1） {2}位置の数（T = 2）\n/);
  });

  it('says what serves now, and leaves out of the table what was scored by other rules', async () => {
    const begun = await nights.begin();
    const { recorded, sft, teacher } = begun;
    await lesson(begun, 'second', {});
    await recorded.evaluation('again', teacher, () => true, { options: { reference: 'sql' } });
    await recorded.evaluation('champion', sft, (item) => item < 100, { decoding: { maximumTokens: 9 } });
    await recorded.close();
    await promote(nights.store, {
      name: 'shop',
      alias: 'champion',
      expected: null,
      model: sft,
      reason: 'it passed',
      operationId: 'one',
      movedAt: '2026-11-27T00:00:00.000Z',
    });
    const found = await report({ runId: recorded.id, store: nights.url });
    expect(found.serving).toEqual([
      { name: 'shop', alias: 'champion', digest: sft.digest, system: 'fine-tuned', reason: 'it passed' },
    ]);
    expect(found.tables.map(({ systems }) => systems.map(({ system }) => system))).toEqual([
      ['teacher', 'base', 'champion'],
      ['teacher'],
    ]);
    expect(found.tables.map(({ decodedAlike }) => decodedAlike)).toEqual([false, true]);
  });

  it('tells the verdict of a gate with its reasons, in whatever node the plan has put it', async () => {
    const { recorded } = await nights.begin();
    const content = JSON.stringify({ verdict: 'fail', reasons: ['fail: too few'] });
    await recorded.node('decision', { kind: 'gate', run: nights.count }, 'verdict', { content });
    const facts = {
      promoted: false,
      why: 'the verdict of its gate is fail',
      verdict: 'fail',
      name: 'shop',
      alias: 'champion',
    };
    await recorded.node('move', { kind: 'promote', run: nights.count }, 'promotion', { facts });
    await recorded.close();
    const found = await report({ runId: recorded.id, store: nights.url });
    expect(found.verdicts).toEqual([{ node: 'decision', verdict: 'fail', reasons: ['fail: too few'] }]);
    expect(drawReport(found, 'en')).toContain(
      'Gate decision: fail\n  fail: too few\nNot promoted to shop/champion: the verdict of its gate is fail',
    );
    expect(drawReport(found, 'ja')).toContain(
      'ゲート decision: fail\n  fail: too few\nshop/champion には昇格していません: ゲートの判定は fail でした',
    );
  });

  it('says of a candidate that an earlier run refused when that was, and why', async () => {
    const { recorded } = await nights.begin();
    const why = 'rejected by bob: not this week';
    const refused = { at: '2026-11-26T03:10:00Z', because: why };
    const facts = { promoted: false, why, verdict: 'pass', name: 'shop', alias: 'champion', refused };
    await recorded.node('move', { kind: 'promote', run: nights.count }, 'promotion', { facts });
    await recorded.close();
    const found = await report({ runId: recorded.id, store: nights.url });
    expect(found.promotions).toMatchObject([{ promoted: false, why, refusedBefore: { ...refused, run: 'night' } }]);
    expect(drawReport(found, 'en')).toContain(
      `Not promoted to shop/champion: the same candidate, refused on 2026-11-26 by run night: ${why}`,
    );
    expect(drawReport(found, 'ja')).toContain(
      `同じ候補が 2026-11-26 の実行 night で見送られ、その後変更はありません: bob が却下しました: not this week`,
    );
  });

  it('tells the reasons of a gate in the language of the report', async () => {
    const { recorded } = await nights.begin();
    const comparison = {
      requirement: { score: 'exact-match', atLeast: 0.6, minItems: 100 },
      outcome: 'fail',
      items: 200,
      estimate: 0.5,
      mean: 0.5,
      ownInterval: { lower: 0.43, upper: 0.57, level: 0.95 },
    };
    const reasons = ['fail: exact-match: 0.5 [0.43, 0.57] (95 %) on 200 items, below 0.6'];
    const content = JSON.stringify({ verdict: 'fail', reasons, comparisons: [{ ...comparison, reason: reasons[0] }] });
    await recorded.node('decision', { kind: 'gate', run: nights.count }, 'verdict', { content });
    await recorded.close();
    const found = await report({ runId: recorded.id, store: nights.url });
    expect(drawReport(found, 'en')).toContain(`Gate decision: fail\n  ${reasons[0]}\n`);
    expect(drawReport(found, 'ja')).toContain(
      'ゲート decision: fail\n  不合格: exact-match: 0.5 [0.43, 0.57] (95 %)、200 問、下限 0.6 未満\n',
    );
  });

  it('takes no item for wrong that has no score', async () => {
    const { recorded, teacher } = await nights.begin();
    const inputs = { model: teacher.digest, dataset: digestOf('held-out') };
    const unscored = { finish: 'stop', promptTokens: 2, generatedTokens: 1, scores: {}, text: 'an answer' } as const;
    await recorded.node('unscored', { kind: 'evaluate', run: nights.count, inputs }, 'scores', {
      content: linesOf([{ id: 'row-7', ...unscored }]).toString(),
      facts: { scores: { 'exact-match': { version: 1, kind: 'right-wrong' } } },
    });
    await recorded.close();
    await expect(report({ runId: recorded.id, store: nights.url })).rejects.toMatchObject({
      code: 'evaluation-invalid',
      message: 'unscored, item row-7: expected a score of exact-match, found none',
    });
  });

  it('without a record in the store is refused as a run that is missing', async () => {
    await expect(report({ runId: 'never', store: nights.url })).rejects.toMatchObject({ code: 'run-missing' });
  });
});
