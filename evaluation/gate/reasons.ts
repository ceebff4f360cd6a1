/**
 * Why a requirement holds or does not, in words: from the numbers of its comparison alone, so that what a gate has decided can be
 * told in either language years later. Both say the same, number by number.
 */
import type { System } from '../../config/gate-schema.js';
import type { ComparisonRecord } from '../../config/verdict.js';
import type { Interval } from '../statistics/proportions.js';

type ReasonLanguage = 'en' | 'ja';

type Told = ComparisonRecord;

/** One line, without the outcome. */
export const sayReason = (told: Told, language: ReasonLanguage = 'en'): string => sentences[language](told);

/** The outcome and why, in one line. */
export const sayComparison = (told: Told, language: ReasonLanguage = 'en'): string =>
  language === 'en'
    ? `${told.outcome}: ${sayReason(told)}`
    : `${outcomesInJapanese[told.outcome]}: ${sayReason(told, language)}`;

const outcomesInJapanese = {
  pass: '合格',
  fail: '不合格',
  inconclusive: '判定不能',
  'not-applicable': '対象外',
} as const;

function english(told: Told): string {
  const { requirement, outcome, because } = told;
  if ('observation' in requirement)
    return `${requirement.observation}: ${say(told.estimate)}, ${outcome === 'pass' ? 'at most' : 'above'} ${say(requirement.atMost)}, as observed by ${told.source ?? ''}`;
  const { score } = requirement;
  if (because === 'too-few-items')
    return `${score}: expected at least ${requirement.minItems} items, found ${told.items ?? 0}`;
  if (because === 'no-champion') return `${score}: there is no champion yet to be compared with`;
  if ('notWorseThan' in requirement) {
    const limit = `${say(requirement.margin)} worse than the ${requirement.notWorseThan}`;
    const verdict = outcome === 'pass' ? 'less than' : outcome === 'fail' ? 'more than' : 'perhaps';
    return `${score}: ${verdict} ${limit}: ${difference(told)}`;
  }
  if ('betterThan' in requirement) {
    const verdict = outcome === 'pass' ? 'better than' : outcome === 'fail' ? 'worse than' : 'perhaps no better than';
    return `${score}: ${verdict} the ${requirement.betterThan}: ${difference(told)}`;
  }
  const own = `${score}: ${say(told.mean)} ${interval(told.ownInterval)} on ${told.items ?? 0} items`;
  if ('atMost' in requirement) return `${own}, ${outcome === 'pass' ? 'at most' : 'above'} ${say(requirement.atMost)}`;
  const holds = outcome === 'pass' ? 'at least' : 'below';
  if (requirement.of === undefined) return `${own}, ${holds} ${say(requirement.atLeast)}`;
  if (because === 'nothing-to-share')
    return `${own}; a share of the ${requirement.of}'s mean says something only when that is above 0, found ${say(told.otherMean)}`;
  return `${own}, ${holds} ${say(requirement.atLeast)} of the ${requirement.of}'s ${say(told.otherMean)}`;
}

const difference = (told: Told): string =>
  `${say(told.mean)} against ${say(told.otherMean)} on ${told.items ?? 0} items, ` +
  `difference ${say(told.estimate)} ${interval(told.interval)}, ${testOf(told).join(', ')}`;

function japanese(told: Told): string {
  const { requirement, outcome, because } = told;
  if ('observation' in requirement)
    return `${requirement.observation}: ${say(told.estimate)}、上限 ${say(requirement.atMost)} ${outcome === 'pass' ? '以下' : 'を超過'}（観測: ${told.source ?? ''}）`;
  const { score } = requirement;
  if (because === 'too-few-items')
    return `${score}: 少なくとも ${requirement.minItems} 問が必要ですが、${told.items ?? 0} 問でした`;
  if (because === 'no-champion') return `${score}: 比較する現行モデル (champion) がまだありません`;
  if ('notWorseThan' in requirement) {
    const limit = `${named(requirement.notWorseThan)}より ${say(requirement.margin)} 以上`;
    const verdict =
      outcome === 'pass' ? '劣ることはありません' : outcome === 'fail' ? '劣ります' : '劣る可能性があります';
    return `${score}: ${limit}${verdict}: ${differenceInJapanese(told)}`;
  }
  if ('betterThan' in requirement) {
    const other = named(requirement.betterThan);
    const verdict =
      outcome === 'pass'
        ? `${other}より優れています`
        : outcome === 'fail'
          ? `${other}より劣ります`
          : `${other}より優れているとは言えません`;
    return `${score}: ${verdict}: ${differenceInJapanese(told)}`;
  }
  const own = `${score}: ${say(told.mean)} ${interval(told.ownInterval)}、${told.items ?? 0} 問`;
  if ('atMost' in requirement)
    return `${own}、上限 ${say(requirement.atMost)} ${outcome === 'pass' ? '以下' : 'を超過'}`;
  const holds = outcome === 'pass' ? '以上' : '未満';
  if (requirement.of === undefined) return `${own}、下限 ${say(requirement.atLeast)} ${holds}`;
  const other = named(requirement.of);
  if (because === 'nothing-to-share')
    return `${own}。${other}の平均に対する割合は、それが 0 より大きいときにだけ意味を持ちますが、${say(told.otherMean)} でした`;
  return `${own}、${other}の ${say(told.otherMean)} の ${say(requirement.atLeast)} 倍${holds}`;
}

const differenceInJapanese = (told: Told): string =>
  `${told.items ?? 0} 問で ${say(told.mean)} 対 ${say(told.otherMean)}、` +
  `差 ${say(told.estimate)} ${interval(told.interval)}、${testOf(told).join('、')}`;

/** The least that four digits show. */
const leastP = 0.0001;

/** The method, and its p where it has one: that is never 0. */
const testOf = ({ method = '', p }: Told): string[] => [
  method,
  ...(p === undefined ? [] : [p < leastP ? `p < ${leastP}` : `p = ${say(p)}`]),
];

const systemsInJapanese: Readonly<Record<System, string>> = {
  champion: '現行モデル (champion)',
  base: '学習前の生徒',
  teacher: '教師',
  control: '対照',
  'fine-tuned': 'ファインチューニング済みの生徒',
};
const named = (system: System): string => systemsInJapanese[system];

const sentences = { en: english, ja: japanese } as const;

const interval = (found: Interval | undefined): string =>
  found === undefined
    ? '[]'
    : `[${say(found.lower)}, ${say(found.upper)}] (${Number((found.level * 100).toFixed(4))} %)`;

/** Four digits after the point, without zeros that say nothing. */
const say = (value: number | undefined): string => String(Number((value ?? Number.NaN).toFixed(4)));
