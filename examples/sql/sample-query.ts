/** Draws queries and wordings from everything that can be asked. */
import {
  entities,
  languages,
  type Attribute,
  type Entity,
  type NumberAttribute,
  type TextAttribute,
} from './catalogue.js';
import { groupOf, type AggregateFunction, type Filter, type Intent, type Query, type Value } from './query.js';
import { paraphrasesPerFilter, sentencesPerIntent, type Style } from './question.js';
import type { Random } from './random.js';
import { values, years } from './shop.js';

const months = 'January February March April May June July August September October November December'.split(' ');
const calls: readonly AggregateFunction[] = ['avg', 'sum', 'max', 'min'];
const intents: readonly Intent['kind'][] = [
  'list',
  'count',
  'aggregate',
  'distinct',
  'group-count',
  'group-aggregate',
  'top',
  'having',
  'most',
];

function drawDate(random: Random): Value {
  const year = String(random.pick(years));
  if (random.next() < 0.4) return { sql: year, en: year, ja: `${year}年` };
  const month = random.below(12);
  const sql = `${year}-${String(month + 1).padStart(2, '0')}`;
  return { sql, en: `${months[month]} ${year}`, ja: `${year}年${month + 1}月` };
}

function drawFilter(random: Random, attribute: Attribute): Filter {
  switch (attribute.kind) {
    case 'text': {
      const [en, ja] = random.pick(Object.entries(values[attribute.column]));
      return { sense: 'is', attribute, value: { sql: en, en, ja } };
    }
    case 'number': {
      const threshold = String(random.pick(attribute.thresholds));
      const value = { sql: threshold, en: threshold, ja: threshold };
      return { sense: random.pick(['above', 'below']), attribute, value };
    }
    case 'date':
      return { sense: random.pick(['within', 'since']), attribute, value: drawDate(random) };
    case 'child':
      return { sense: random.pick(['some', 'none']), attribute };
  }
}

/** Undefined where the entity has nothing to be grouped or ranked by. */
function drawIntent(random: Random, entity: Entity): Intent | undefined {
  const kind = random.pick(intents);
  const groups = entity.attributes.filter((attribute): attribute is TextAttribute => attribute.kind === 'text');
  const numbers = entity.attributes.filter((attribute): attribute is NumberAttribute => attribute.kind === 'number');
  const ranking = numbers.filter(({ ranks }) => ranks);
  if (/^(?:aggregate|group-aggregate)$/.test(kind) && numbers.length === 0) return undefined;
  switch (kind) {
    case 'list':
    case 'count':
      return { kind };
    case 'aggregate':
      return { kind, call: random.pick(calls), of: random.pick(numbers) };
    case 'distinct':
    case 'group-count':
    case 'most':
      return { kind, group: random.pick(groups) };
    case 'group-aggregate':
      return { kind, group: random.pick(groups), call: random.pick(calls), of: random.pick(numbers) };
    case 'having':
      return { kind, group: random.pick(groups), moreThan: random.pick([2, 3, 5, 10, 20, 50, 100, 200]) };
    case 'top':
      if (ranking.length === 0) return undefined;
      return { kind, of: random.pick(ranking), count: 2 + random.below(7), direction: random.pick(['DESC', 'ASC']) };
  }
}

function drawQuery(random: Random): Query | undefined {
  const entity = random.pick(entities);
  const intent = drawIntent(random, entity);
  if (intent === undefined) return undefined;
  const free = entity.attributes.filter((attribute) => attribute !== groupOf(intent));
  const wanted = random.pick([0, 1, 1, 2, 2]);
  const chosen = new Set<Attribute>();
  while (chosen.size < Math.min(wanted, free.length)) chosen.add(random.pick(free));
  return { entity, intent, filters: [...chosen].map((attribute) => drawFilter(random, attribute)) };
}

export function* drawQueries(random: Random): Generator<{ readonly query: Query; readonly style: Style }> {
  for (;;) {
    const query = drawQuery(random);
    if (query === undefined) continue;
    const paraphrases = query.filters.map(() => random.below(paraphrasesPerFilter));
    const style = { language: random.pick(languages), sentence: random.below(sentencesPerIntent), paraphrases };
    yield { query, style };
  }
}
