/** How the demo ends: the time that each stage took, whether it kept its promise, and what to try next, in both languages. */
import type { RunView } from '../../../../client/index.js';
import { closing } from '../../../../examples/sql/closing.js';
import { stageTimes } from '../../../../examples/sql/stage-times.js';

const node = (id: string, seconds: number, status: RunView['nodes'][number]['status'] = 'done') => ({
  id,
  status,
  uses: id,
  needs: [],
  queue: 'nightstill-io',
  startedAtMs: 1_000_000,
  endedAtMs: 1_000_000 + seconds * 1000,
});
const view = (seconds: number) => ({
  nodes: [node('answer', 59.6), node('kd', seconds / 2), node('import', 0, 'reused'), node('sft', 20)],
  startedAtMs: 1_000_000,
  endedAtMs: 1_000_000 + seconds * 1000,
});
const minutesMs = (minutes: number): number => minutes * 60_000;

it('a demo within ten minutes says so, and the share of each stage that ran', () => {
  const text = stageTimes(view(400), minutesMs(10), 'en');
  expect(text).toContain('The run took 6 min 40 s, the demo 10 min 00 s without set-up: under 10 minutes.');
  expect(text).toMatch(/^ {2}answer +1 min 00 s +15 %$/m);
  expect(text).toMatch(/^ {2}kd +3 min 20 s +50 %$/m);
  expect(text).toMatch(/^ {2}sft +20 s +5 %$/m);
  expect(text).not.toContain('import');
});

it('a demo above ten minutes says by how much, and which stage was the longest', () => {
  const text = stageTimes(view(660), minutesMs(11.5), 'en');
  expect(text).toContain(
    'the demo 11 min 30 s without set-up: 1 min 30 s more than 10 minutes; the longest stage was kd, 5 min 30 s.',
  );
  expect(text).not.toContain('under 10 minutes');
});

it('both are told in Japanese', () => {
  const texts = [stageTimes(view(400), minutesMs(10), 'ja'), stageTimes(view(660), minutesMs(11.5), 'ja')];
  expect(texts[0]).toContain('デモ全体にはセットアップを除き 10 分 0 秒 かかりました: 10 分以内です。');
  expect(texts[1]).toContain('10 分を 1 分 30 秒 超えました。最も長いステージは kd で、5 分 30 秒 でした。');
  for (const text of texts) expect(text.replaceAll(/\b(?:answer|kd|sft)\b/g, '')).not.toMatch(/[a-z]/i);
});

it.each([true, false])('places and next commands are the same in both languages (promoted: %s)', (promoted) => {
  const about = { runId: 'sql-1', plan: 'examples/sql/distill.yaml', data: '.nightstill/sql', promoted };
  const [english, japanese] = [closing({ ...about, language: 'en' }), closing({ ...about, language: 'ja' })];
  const commands = (text: string) => text.match(/(?:node dist|curl|\.\/\.nightstill)[^#\n]*/g);
  expect(commands(japanese)).toEqual(commands(english));
  expect(commands(english)).toHaveLength(promoted ? 6 : 5);
  expect(english).toContain(promoted ? 'serve sql/champion     # what was promoted' : '# nothing was promoted');
  expect(japanese.replaceAll(/(?:node dist|curl|\.\/\.nightstill)[^#\n]*/g, '')).not.toMatch(/[a-z]/i);
});
