/** How a report reads as text, in both languages. */
import { drawReport } from '../../../cli/report/draw-report.js';
import { languageOf } from '../../../cli/report.js';
import { words } from '../../../cli/report/words.js';
import { sayDecision } from '../../../config/approval.js';
import { report } from '../../../client/index.js';
import { RecordedNights } from '../../support/recorded-nights.js';

const decided = { node: 'promote', candidate: 'c', verdict: 'v', at: '2026-11-27T10:00:00Z' };

let nights: RecordedNights;

beforeAll(async () => void (nights = await RecordedNights.open()));
afterAll(() => nights.close());

describe('a report as text', () => {
  it('has the same substance in English and in Japanese', async () => {
    const found = await nights.compared(120, {}, 'shop');
    const [english, japanese] = [drawReport(found, 'en'), drawReport(found, 'ja')];
    for (const text of [english, japanese]) {
      for (const number of [
        '90.0 %',
        '85.1 % – 93.4 %',
        '75.0 %',
        '+15.0 pp',
        'Tango',
        '80 ms',
        '4,000,000',
        'exact-match@1',
      ])
        expect(text).toContain(number);
      for (const { uri } of found.artifacts) expect(text).toContain(uri);
    }
    expect(english).toContain('Distilling made the student better');
    expect(english).toMatch(/Not compared: a stock small model, and the teacher quantized/);
    expect(english).toMatch(/\n {2}teacher .* not given/);
    expect(japanese).toContain('良くなりました');
    expect(japanese).toMatch(/比較していないもの: 既製の小型モデルと、量子化した教師/);
    expect(japanese).toMatch(/\n {2}教師 .* 未指定/);
    expect(japanese).not.toMatch(/not given|Not compared|distilled/);
    expect(english).toContain('Promoted to shop/champion: it passed its gate\n');
    expect(english).toContain(
      `shop/champion serves the distilled (KD) of this run: passed its gate in run ${found.runId}: `,
    );
    expect(japanese).toContain('shop/champion に昇格しました: ゲートに合格しました\n');
    expect(japanese).toContain(
      `shop/champion はこの実行の「蒸留 (KD)」を提供しています: 実行 ${found.runId} でゲートに合格しました\n`,
    );
    expect(japanese).not.toContain('passed its gate');
  });

  it('tells the latency of what is behind an endpoint apart from that of the machine, and says when nobody measured the teacher', async () => {
    const found = await nights.compared(120, {}, 'behind');
    expect(found.notCompared).not.toContain('teacher');
    const tables = found.tables.map((table) => ({
      ...table,
      systems: table.systems.map((row) =>
        row.system === 'teacher' ? { ...row, model: null, latencyP50Ms: 400, sideBySide: 3 } : row,
      ),
    }));
    const [english, japanese] = [drawReport({ ...found, tables }, 'en'), drawReport({ ...found, tables }, 'ja')];
    expect(english).toContain('Of what is behind an endpoint: with the network, 3 requests side by side');
    expect(english).not.toContain('3, 8 requests side by side');
    expect(japanese).toContain('エンドポイントの値');
    expect(drawReport(found, 'en')).not.toContain('Of what is behind an endpoint');
    const unmeasured = { ...found, notCompared: [...found.notCompared, 'teacher' as const] };
    expect(drawReport(unmeasured, 'en')).toContain('The teacher was not measured: ');
    expect(drawReport(unmeasured, 'ja')).toContain('教師は評価されていません');
  });

  it.each<[why: string, english: boolean]>([
    ['it passed its gate', false],
    ['the verdict of its gate is fail', false],
    ['it was rolled back', false],
    ['nobody was asked to approve it', false],
    [sayDecision({ ...decided, outcome: 'expired' }), false],
    [sayDecision({ ...decided, outcome: 'rejected', by: 'bob' }), false],
    [sayDecision({ ...decided, outcome: 'rejected', by: 'bob', reason: 'not: this week' }), true],
    [
      `passed its gate in run shop-1: pass: a line; ${sayDecision({ ...decided, outcome: 'approved', by: 'bob' })}`,
      false,
    ],
    ['moved by hand', true],
  ])('says in Japanese why a name was moved or not: %s', (why, keepsWordsOfAPerson) => {
    const made = { node: 'promote', name: 'shop', alias: 'champion', promoted: false, why };
    const text = words.ja.promotion('', made);
    const latin = text.replace(/\bbob\b|\bfail\b|\bshop-1\b|2026-11-27T10:00:00Z/g, '').match(/[a-z]{2,}/gi);
    expect(latin !== null).toBe(keepsWordsOfAPerson);
    if (why.includes('not: this week')) expect(text).toContain('bob が却下しました: not: this week');
  });

  it('tells of what was gone on with on a machine that computes other bits, and of nothing else', async () => {
    const { recorded } = await nights.begin();
    const run = nights.count;
    await recorded.node('student', { kind: 'fine-tune', run }, 'model', { resumedInexactlyAt: [12, 40] });
    await recorded.node('logits', { kind: 'capture', run }, 'logits', { resumedInexactlyAt: [7] });
    await recorded.close();
    const found = await report({ runId: recorded.id, store: nights.url });
    const inexact = found.artifacts.flatMap(({ node, resumedInexactlyAt: at }) => (at ? [[node, at]] : []));
    expect(inexact).toEqual([
      ['logits', [7]],
      ['student', [12, 40]],
    ]);
    const [english, japanese] = [drawReport(found, 'en'), drawReport(found, 'ja')];
    expect(english.match(/^.*resumed inexactly.*$/gm)).toEqual([
      'logits: resumed inexactly at row 7, on a machine that computes other bits',
      'student: resumed inexactly at step 12, 40, on a machine that computes other bits',
    ]);
    expect(japanese).toContain('student: ステップ 12, 40 から、異なるビットを計算するマシンで再開');
    expect(japanese).toContain('logits: 行 7 から、');
  });

  it('says how the teacher has changed, and that answers which are drawn prove nothing', async () => {
    const drift = { node: 'canary', prompts: 3, changed: 1, since: 'night-1' };
    const found = await nights.compared(120);
    const text = (changes: object, language: 'en' | 'ja') =>
      drawReport({ ...found, canaries: [{ ...drift, ...changes }] }, language);
    expect(text({}, 'en')).toMatch(/The teacher answers 2 of 3 canary prompts as in run night-1\.\n/);
    expect(text({ served: { before: 'a', now: 'b' } }, 'en')).toContain('night-1, and now calls itself b.\n');
    expect(text({ sampled: true }, 'en')).toContain(
      'night-1. It takes no temperature: answers differ by chance as well.',
    );
    expect(text({ sampled: true, changed: 0 }, 'en')).toMatch(/answers all 3 canary prompts as in run night-1\.\n/);
    expect(text({ sampled: true }, 'ja')).toContain('temperature を受け付けない');
    expect(text({}, 'ja')).not.toContain('temperature');
  });

  it('gives no sign to a difference that is rounded to nothing', async () => {
    const text = drawReport(await nights.compared(150), 'en');
    expect(text).toContain('distilled (KD) − control (CE only): 0.0 pp (95 % interval −');
    expect(text).not.toMatch(/[+−]0\.0 pp/);
  });

  it('stands in columns where letters are twice as wide', async () => {
    const lines = drawReport(await nights.compared(120), 'ja').split('\n');
    const widthBefore = (line: string, mark: string): number =>
      Array.from(line.slice(0, line.indexOf(mark))).reduce<number>(
        (width, letter) => width + (letter > '\u2e80' ? 2 : 1),
        0,
      );
    const lineOf = (name: string): string => lines.find((line) => line.includes(name)) ?? '';
    expect(widthBefore(lineOf('教師 '), '90.0 %')).toBe(widthBefore(lineOf('対照 (CE のみ) '), '60.0 %'));
  });

  it('is in the language of the flag, or else of the first locale that is set', () => {
    expect(languageOf('en', { LANG: 'ja_JP.UTF-8' })).toBe('en');
    expect(languageOf(undefined, { LANG: 'ja_JP.UTF-8' })).toBe('ja');
    expect(languageOf(undefined, { LC_ALL: 'C', LANG: 'ja_JP.UTF-8' })).toBe('en');
    expect(languageOf(undefined, { LANG: 'jam_JM' })).toBe('en');
    expect(languageOf(undefined, {})).toBe('en');
    expect(() => languageOf('fr', {})).toThrow('--lang: expected en or ja, found "fr"');
  });
});
