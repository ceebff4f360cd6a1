/** A query as a question: one of four sentences an intent in each language, with one of three paraphrases a filter. */
import { groupWords, type Language, type Words } from './catalogue.js';
import { groupOf, type AggregateFunction, type Filter, type Intent, type Query } from './query.js';

/** Which sentence, and which paraphrase of each filter. */
export interface Style {
  readonly language: Language;
  readonly sentence: number;
  readonly paraphrases: readonly number[];
}
export const sentencesPerIntent = 4;
export const paraphrasesPerFilter = 3;

type Sentences = Readonly<Record<Language, readonly [string, string, string, string]>>;

/** {n} what is asked about, {g} group, {f} function, {c} column, {k} a number, {d} direction. */
const sentences: Readonly<Record<Intent['kind'], Sentences>> = {
  list: {
    en: ['list the {n}', 'show me all {n}', 'which {n} are there', '{n}: name them'],
    ja: ['{n}を一覧にして', '{n}をすべて見せて', 'どの{n}がありますか', '{n}を挙げて'],
  },
  count: {
    en: ['how many {n} are there', 'count the {n}', 'number of {n}', '{n}: how many'],
    ja: ['{n}はいくつありますか', '{n}を数えて', '{n}の数', '{n}は全部で何件'],
  },
  aggregate: {
    en: ['what is the {f} {c} of {n}', '{f} {c} of {n}', 'give me the {f} {c} for {n}', '{n}: {f} {c}'],
    ja: ['{n}の{c}の{f}はいくらですか', '{n}の{c}の{f}', '{n}について{c}の{f}を出して', '{c}の{f}は、{n}では'],
  },
  distinct: {
    en: ['which {g} values occur among {n}', 'list each {g} of {n} once', 'different {g} of {n}', '{n}: distinct {g}'],
    ja: ['{n}に現れる{g}はどれですか', '{n}の{g}を重複なしで', '{n}の異なる{g}', '{n}の{g}の種類'],
  },
  'group-count': {
    en: ['how many {n} per {g}', 'count the {n} for each {g}', 'number of {n} in every {g}', '{n} by {g}: how many'],
    ja: ['{g}ごとに{n}はいくつですか', '{g}別に{n}を数えて', '各{g}の{n}の数', '{n}は{g}ごとに何件'],
  },
  'group-aggregate': {
    en: [
      'what is the {f} {c} of {n} per {g}',
      '{f} {c} of {n} for each {g}',
      'in every {g} the {f} {c} of {n}',
      '{n} by {g}: {f} {c}',
    ],
    ja: [
      '{g}ごとに{n}の{c}の{f}はいくらですか',
      '{g}別に{n}の{c}の{f}',
      '各{g}の{n}について{c}の{f}を出して',
      '{n}の{c}の{f}を{g}ごとに',
    ],
  },
  top: {
    en: [
      'which {k} {n} have the {d} {c}',
      'the {k} {n} with the {d} {c}',
      'list {k} {n} by {d} {c}',
      '{n}: {k} with the {d} {c}',
    ],
    ja: [
      '{c}が{d}{n}{k}件はどれですか',
      '{c}の{d}{n}を{k}件',
      '{c}が{d}順に{n}を{k}件挙げて',
      '{n}のうち{c}が{d}もの{k}件',
    ],
  },
  having: {
    en: [
      'which {g} has more than {k} {n}',
      'each {g} with over {k} {n}',
      'list {g} when there are more than {k} {n}',
      '{n}: {g} with more than {k}',
    ],
    ja: [
      '{n}が{k}件より多い{g}はどれですか',
      '{n}が{k}件を超える{g}',
      '{k}件超の{n}がある{g}を挙げて',
      '{n}の{g}で{k}件より多いもの',
    ],
  },
  most: {
    en: [
      'which {g} has the most {n}',
      'the {g} with most {n}',
      'in what {g} are the most {n}',
      '{n}: the most frequent {g}',
    ],
    ja: ['{n}が最も多い{g}はどれですか', '{n}が一番多い{g}', '最多の{n}がある{g}', '{n}で最も多く現れる{g}'],
  },
};

const functionWords: Readonly<Record<AggregateFunction, Words>> = {
  avg: { en: 'average', ja: '平均' },
  sum: { en: 'total', ja: '合計' },
  max: { en: 'maximum', ja: '最大' },
  min: { en: 'minimum', ja: '最小' },
};
const directionWords: Readonly<Record<'DESC' | 'ASC', Words>> = {
  DESC: { en: 'highest', ja: '高い' },
  ASC: { en: 'lowest', ja: '低い' },
};

function phraseOf(filter: Filter, language: Language, paraphrase: number): string {
  const phrases = (() => {
    switch (filter.sense) {
      case 'is':
        return filter.attribute.phrases;
      case 'above':
        return filter.attribute.above;
      case 'below':
        return filter.attribute.below;
      case 'within':
        return filter.attribute.within;
      case 'since':
        return filter.attribute.since;
      case 'some':
        return filter.attribute.some;
      case 'none':
        return filter.attribute.none;
    }
  })();
  const phrase = phrases[language][paraphrase] ?? '';
  return 'value' in filter ? phrase.replaceAll('{v}', filter.value[language]) : phrase;
}

export function questionOf(query: Query, { language, sentence, paraphrases }: Style): string {
  const { entity, intent, filters } = query;
  const phrases = filters.map((filter, place) => phraseOf(filter, language, paraphrases[place] ?? 0));
  const noun = entity.noun[language];
  const group = groupOf(intent);
  const words: Readonly<Record<string, string>> = {
    n: language === 'en' ? [noun, ...phrases].join(' ') : [...phrases, noun].join(''),
    g: group === undefined ? '' : groupWords[group.column][language],
    f: 'call' in intent ? functionWords[intent.call][language] : '',
    c: 'of' in intent ? intent.of.word[language] : '',
    d: intent.kind === 'top' ? directionWords[intent.direction][language] : '',
    k: String(intent.kind === 'top' ? intent.count : intent.kind === 'having' ? intent.moreThan : ''),
  };
  return (sentences[intent.kind][language][sentence] ?? '').replaceAll(
    /\{(\w)\}/g,
    (_, name: string) => words[name] ?? '',
  );
}

/** Which sentence meets which paraphrases: the third thing that worlds share or do not share. */
export const wordingOf = ({ intent }: Query, { language, sentence, paraphrases }: Style): string =>
  `${language} ${intent.kind} ${sentence} ${paraphrases.toSorted((a, b) => a - b).join('')}`;
