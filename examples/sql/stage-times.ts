/** Where the time of a run went, node by node, and whether all of it stayed within what the demo promises. */
import type { Language } from '../../cli/report/words.js';
import type { RunView } from '../../client/index.js';
import { formatDuration } from '../../config/format-duration.js';
import { drawTable } from '../../tools/setup.js';

const promisedMs = 10 * 60 * 1000;

interface Words {
  readonly columns: readonly string[];
  readonly time: (ms: number) => string;
  readonly took: (run: string, demo: string, judgement: string) => string;
  readonly under: string;
  readonly over: (by: string, stage: string, time: string) => string;
}

const words: Readonly<Record<Language, Words>> = {
  en: {
    columns: ['stage', 'time, waiting included', 'of the run'],
    time: formatDuration,
    took: (run, demo, judgement) => `The run took ${run}, the demo ${demo} without set-up: ${judgement}`,
    under: 'under 10 minutes.',
    over: (by, stage, time) => `${by} more than 10 minutes; the longest stage was ${stage}, ${time}.`,
  },
  ja: {
    columns: ['ステージ', '時間（待ち時間を含む）', '実行に占める割合'],
    time: japaneseTime,
    took: (run, demo, judgement) =>
      `実行には ${run}、デモ全体にはセットアップを除き ${demo} かかりました: ${judgement}`,
    under: '10 分以内です。',
    over: (by, stage, time) => `10 分を ${by} 超えました。最も長いステージは ${stage} で、${time} でした。`,
  },
};

export function stageTimes(
  { nodes, startedAtMs = 0, endedAtMs = 0 }: Pick<RunView, 'nodes' | 'startedAtMs' | 'endedAtMs'>,
  demoMs: number,
  language: Language,
): string {
  const say = words[language];
  const { time } = say;
  const ran = nodes.flatMap(({ id, status, startedAtMs: from, endedAtMs: to }) =>
    status === 'done' && from !== undefined && to !== undefined ? [{ id, ms: to - from }] : [],
  );
  const whole = Math.max(1, endedAtMs - startedAtMs);
  const rows = ran.map(({ id, ms }) => [id, time(ms), `${Math.round((100 * ms) / whole)} %`]);
  const longest = ran.reduce((one, other) => (other.ms > one.ms ? other : one), { id: '–', ms: 0 });
  const judgement =
    demoMs <= promisedMs ? say.under : say.over(time(demoMs - promisedMs), longest.id, time(longest.ms));
  return `${drawTable(say.columns, rows).replaceAll(/^/gm, '  ')}\n\n  ${say.took(time(whole), time(demoMs), judgement)}`;
}

function japaneseTime(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} 秒` : `${Math.floor(seconds / 60)} 分 ${seconds % 60} 秒`;
}
