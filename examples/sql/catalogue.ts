/**
 * What can be asked about: entities (tables that questions are about), what restricts or groups them, and how English and
 * Japanese put it. Restrictions stand behind the noun in English and before it in Japanese. Each has three paraphrases in each
 * language; `{v}` is a value.
 */
import type { ValueSet } from './shop.js';

export const languages = ['en', 'ja'] as const;
export type Language = (typeof languages)[number];
export type Phrases = Readonly<Record<Language, readonly [string, string, string]>>;
export type Words = Readonly<Record<Language, string>>;

/** A closed set of values, perhaps of a table that must be joined. */
export interface TextAttribute {
  readonly kind: 'text';
  readonly column: ValueSet;
  /** The tables to join, in this order. */
  readonly path: readonly string[];
  readonly phrases: Phrases;
}
export interface NumberAttribute {
  readonly kind: 'number';
  readonly column: string;
  readonly thresholds: readonly number[];
  readonly word: Words;
  /** Does a ranking by it have a clear order? */
  readonly ranks: boolean;
  readonly above: Phrases;
  readonly below: Phrases;
}
export interface DateAttribute {
  readonly kind: 'date';
  readonly column: string;
  readonly within: Phrases;
  readonly since: Phrases;
}
/** Rows of another table that point here, or that none does. */
export interface ChildAttribute {
  readonly kind: 'child';
  readonly table: string;
  readonly key: string;
  readonly some: Phrases;
  readonly none: Phrases;
}
export type Attribute = TextAttribute | NumberAttribute | DateAttribute | ChildAttribute;

export interface Entity {
  readonly table: string;
  /** What a list shows. */
  readonly shown: string;
  readonly noun: Words;
  readonly attributes: readonly Attribute[];
}

/** How a group is called. */
export const groupWords: Readonly<Record<ValueSet, Words>> = {
  category: { en: 'category', ja: 'カテゴリ' },
  country: { en: 'country', ja: '国' },
  region: { en: 'region', ja: '地域' },
  role: { en: 'role', ja: '役職' },
  city: { en: 'city', ja: '都市' },
  tier: { en: 'tier', ja: '会員種別' },
  status: { en: 'status', ja: '状態' },
  method: { en: 'method', ja: '支払方法' },
  carrier: { en: 'carrier', ja: '配送会社' },
  reason: { en: 'reason', ja: '理由' },
};

const text = (column: ValueSet, path: readonly string[], en: Phrases['en'], ja: Phrases['ja']): TextAttribute => ({
  kind: 'text',
  column,
  path,
  phrases: { en, ja },
});

/** Every number is compared in the same words: "with price above 20", 「価格が20より大きい」. */
const number = (column: string, ja: string, thresholds: readonly number[], ranks: boolean): NumberAttribute => ({
  kind: 'number',
  column,
  thresholds,
  ranks,
  word: { en: column, ja },
  above: {
    en: [`with ${column} above {v}`, `with more than {v} ${column}`, `whose ${column} exceeds {v}`],
    ja: [`${ja}が{v}より大きい`, `${ja}が{v}を超える`, `${ja}{v}超の`],
  },
  below: {
    en: [`with ${column} below {v}`, `with less than {v} ${column}`, `whose ${column} is under {v}`],
    ja: [`${ja}が{v}より小さい`, `${ja}が{v}に満たない`, `${ja}{v}未満の`],
  },
});

const date = (column: string, ja: string): DateAttribute => ({
  kind: 'date',
  column,
  within: {
    en: [`${column} in {v}`, `that were ${column} during {v}`, `${column} within {v}`],
    ja: [`{v}に${ja}`, `{v}中に${ja}`, `${ja}のが{v}の`],
  },
  since: {
    en: [`${column} since {v}`, `that were ${column} from {v} on`, `${column} in {v} or later`],
    ja: [`{v}以降に${ja}`, `{v}から後に${ja}`, `${ja}のが{v}以後の`],
  },
});

const child = (table: string, key: string, ja: string): ChildAttribute => ({
  kind: 'child',
  table,
  key,
  some: {
    en: [`with a ${table}`, `that have a ${table}`, `having some ${table}`],
    ja: [`${ja}がある`, `${ja}付きの`, `${ja}を持つ`],
  },
  none: {
    en: [`without a ${table}`, `that have no ${table}`, `lacking any ${table}`],
    ja: [`${ja}がない`, `${ja}なしの`, `${ja}を持たない`],
  },
});

const category = (...path: string[]): TextAttribute =>
  text(
    'category',
    path,
    ['in the {v} category', 'of category {v}', 'for {v}'],
    ['{v}カテゴリの', 'カテゴリが{v}の', '{v}向けの'],
  );
const tier = (...path: string[]): TextAttribute =>
  text('tier', path, ['of {v} tier', 'of {v} members', 'at tier {v}'], ['{v}会員の', '会員種別が{v}の', '{v}ランクの']);
const region = (...path: string[]): TextAttribute =>
  text(
    'region',
    path,
    ['in the {v} region', 'of the {v}', 'at {v} stores'],
    ['{v}地域の', '地域が{v}の', '{v}側の店の'],
  );
const status = (...path: string[]): TextAttribute =>
  text(
    'status',
    path,
    ['with status {v}', 'that are {v}', 'in state {v}'],
    ['状態が{v}の', '{v}になっている', '{v}状態の'],
  );

export const entities: readonly Entity[] = [
  {
    table: 'product',
    shown: 'product',
    noun: { en: 'products', ja: '商品' },
    attributes: [
      category('category'),
      text(
        'country',
        ['supplier'],
        ['from {v}', 'made in {v}', 'supplied by {v}'],
        ['{v}製の', '{v}から仕入れた', '仕入先が{v}の'],
      ),
      number('price', '価格', [10, 20, 30, 50, 80], true),
      number('stock', '在庫', [20, 40, 60, 80], true),
      child('review', 'product_id', 'レビュー'),
      child('line', 'product_id', '明細'),
    ],
  },
  {
    table: 'staff',
    shown: 'staff',
    noun: { en: 'staff', ja: '社員' },
    attributes: [
      text(
        'role',
        [],
        ['with role {v}', 'working as {v}', 'in the {v} job'],
        ['役職が{v}の', '{v}として働く', '{v}職の'],
      ),
      region('store'),
      number('salary', '給与', [200, 250, 300, 400], true),
    ],
  },
  {
    table: 'customer',
    shown: 'customer',
    noun: { en: 'customers', ja: '顧客' },
    attributes: [
      text('city', [], ['from {v}', 'living in {v}', 'of {v} city'], ['{v}の', '{v}に住む', '{v}在住の']),
      tier(),
      date('joined', '入会した'),
      child('sale', 'customer_id', '売上'),
      child('review', 'customer_id', 'レビュー'),
    ],
  },
  {
    table: 'sale',
    shown: 'sale_id',
    noun: { en: 'sales', ja: '売上' },
    attributes: [
      status(),
      region('store'),
      tier('customer'),
      date('sold', '売れた'),
      child('refund', 'sale_id', '返金'),
      child('shipment', 'sale_id', '配送'),
    ],
  },
  {
    table: 'line',
    shown: 'line_id',
    noun: { en: 'lines', ja: '明細' },
    attributes: [
      category('product', 'category'),
      status('sale'),
      region('sale', 'store'),
      number('quantity', '数量', [1, 2, 3, 4], false),
    ],
  },
  {
    table: 'review',
    shown: 'review_id',
    noun: { en: 'reviews', ja: 'レビュー' },
    attributes: [
      category('product', 'category'),
      tier('customer'),
      number('stars', '星', [2, 3, 4], false),
      date('reviewed', '書かれた'),
    ],
  },
  {
    table: 'payment',
    shown: 'payment_id',
    noun: { en: 'payments', ja: '支払' },
    attributes: [
      text('method', [], ['by {v}', 'paid with {v}', 'using {v}'], ['{v}での', '支払方法が{v}の', '{v}払いの']),
      status('sale'),
      tier('sale', 'customer'),
      number('amount', '金額', [50, 100, 200, 300], true),
    ],
  },
  {
    table: 'shipment',
    shown: 'shipment_id',
    noun: { en: 'shipments', ja: '配送' },
    attributes: [
      text('carrier', [], ['by {v}', 'carried by {v}', 'sent with {v}'], ['{v}の', '配送会社が{v}の', '{v}で送った']),
      region('sale', 'store'),
      number('days', '日数', [2, 3, 5, 7], false),
    ],
  },
  {
    table: 'refund',
    shown: 'refund_id',
    noun: { en: 'refunds', ja: '返金' },
    attributes: [
      text(
        'reason',
        [],
        ['because of {v}', 'with reason {v}', 'due to {v}'],
        ['理由が{v}の', '{v}による', '{v}のための'],
      ),
      region('sale', 'store'),
      number('refunded', '返金額', [20, 50, 80], true),
    ],
  },
];
