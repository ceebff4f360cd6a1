/** A question's meaning, and the SQL that says it. Everything that can be asked is one intent and up to two filters. */
import type {
  Attribute,
  ChildAttribute,
  DateAttribute,
  Entity,
  NumberAttribute,
  TextAttribute,
  Words,
} from './catalogue.js';

export type AggregateFunction = 'avg' | 'sum' | 'max' | 'min';

export type Intent =
  | { readonly kind: 'list' }
  | { readonly kind: 'count' }
  | { readonly kind: 'aggregate'; readonly call: AggregateFunction; readonly of: NumberAttribute }
  | { readonly kind: 'distinct'; readonly group: TextAttribute }
  | { readonly kind: 'group-count'; readonly group: TextAttribute }
  | {
      readonly kind: 'group-aggregate';
      readonly group: TextAttribute;
      readonly call: AggregateFunction;
      readonly of: NumberAttribute;
    }
  | { readonly kind: 'top'; readonly of: NumberAttribute; readonly count: number; readonly direction: 'DESC' | 'ASC' }
  | { readonly kind: 'having'; readonly group: TextAttribute; readonly moreThan: number }
  | { readonly kind: 'most'; readonly group: TextAttribute };

/** A value as SQL writes it, and as each language does. */
export interface Value extends Words {
  readonly sql: string;
}

export type Filter =
  | { readonly sense: 'is'; readonly attribute: TextAttribute; readonly value: Value }
  | { readonly sense: 'above' | 'below'; readonly attribute: NumberAttribute; readonly value: Value }
  | { readonly sense: 'within' | 'since'; readonly attribute: DateAttribute; readonly value: Value }
  | { readonly sense: 'some' | 'none'; readonly attribute: ChildAttribute };

export interface Query {
  readonly entity: Entity;
  readonly intent: Intent;
  readonly filters: readonly Filter[];
}

export const groupOf = (intent: Intent): TextAttribute | undefined => ('group' in intent ? intent.group : undefined);

/** The tables to join, each once, in the order in which they can be joined. */
function joinedTables({ intent, filters }: Query): readonly string[] {
  const attributes: readonly (Attribute | undefined)[] = [
    groupOf(intent),
    ...filters.map(({ attribute }) => attribute),
  ];
  return [...new Set(attributes.flatMap((attribute) => (attribute?.kind === 'text' ? attribute.path : [])))];
}

function condition(filter: Filter): string {
  switch (filter.sense) {
    case 'is':
      return `${filter.attribute.column} = '${filter.value.sql}'`;
    case 'above':
      return `${filter.attribute.column} > ${filter.value.sql}`;
    case 'below':
      return `${filter.attribute.column} < ${filter.value.sql}`;
    case 'within':
      return `${filter.attribute.column} LIKE '${filter.value.sql}%'`;
    case 'since':
      return `${filter.attribute.column} >= '${filter.value.sql}'`;
    case 'some':
    case 'none': {
      const { key, table } = filter.attribute;
      return `${key} ${filter.sense === 'none' ? 'NOT IN' : 'IN'} (SELECT ${key} FROM ${table})`;
    }
  }
}

/** What is selected, and what stands behind the conditions. */
function frame({ entity, intent }: Query): readonly [selected: string, behind: string] {
  switch (intent.kind) {
    case 'list':
      return [entity.shown, ''];
    case 'count':
      return ['count(*)', ''];
    case 'aggregate':
      return [`${intent.call}(${intent.of.column})`, ''];
    case 'distinct':
      return [`DISTINCT ${intent.group.column}`, ''];
    case 'group-count':
      return [`${intent.group.column}, count(*)`, ` GROUP BY ${intent.group.column}`];
    case 'group-aggregate':
      return [`${intent.group.column}, ${intent.call}(${intent.of.column})`, ` GROUP BY ${intent.group.column}`];
    case 'top':
      return [entity.shown, ` ORDER BY ${intent.of.column} ${intent.direction} LIMIT ${intent.count}`];
    case 'having':
      return [intent.group.column, ` GROUP BY ${intent.group.column} HAVING count(*) > ${intent.moreThan}`];
    case 'most':
      return [intent.group.column, ` GROUP BY ${intent.group.column} ORDER BY count(*) DESC LIMIT 1`];
  }
}

export function sqlOf(query: Query): string {
  const [selected, behind] = frame(query);
  const joins = joinedTables(query).map((table) => ` JOIN ${table} USING (${table}_id)`);
  const conditions = query.filters.map((filter, place) => `${place === 0 ? ' WHERE ' : ' AND '}${condition(filter)}`);
  return `SELECT ${selected} FROM ${query.entity.table}${joins.join('')}${conditions.join('')}${behind}`;
}

/** SQL without its literals: two queries that differ in values only have one skeleton. */
export const skeletonOf = (sql: string): string => sql.replaceAll(/'[^']*'|\b\d+(?:\.\d+)?\b/g, '?');

/**
 * How a query is put together, in words: which clauses meet, and which tables are joined for which intent. These, not
 * whole queries, are what the worlds share or do not share.
 */
export function structureOf(query: Query): { readonly clauses: string; readonly joins: string | undefined } {
  const { entity, intent, filters } = query;
  const depth = (attribute: Attribute): string => (attribute.kind === 'text' ? `+${attribute.path.length}` : '');
  const senses = filters.map((filter) => `${filter.sense}${depth(filter.attribute)}`).toSorted();
  const group = groupOf(intent);
  const tables = joinedTables(query);
  return {
    clauses: `${intent.kind}${group === undefined ? '' : depth(group)} ${senses.join(' ')}`,
    joins: tables.length === 0 ? undefined : `${intent.kind} ${entity.table} ${tables.toSorted().join(' ')}`,
  };
}
