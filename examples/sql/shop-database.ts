/** The shop's SQLite database, made from a seed in a second: the same rows, and with one version of SQLite the same bytes. */
import initSqlJs, { type Database } from 'sql.js';
import { createRandom, type Random } from './random.js';
import { schema, values, years, type ValueSet } from './shop.js';

const seed = 20_261_127;
type Row = readonly (string | number)[];

const given = [
  'Aiko',
  'Ben',
  'Chie',
  'Dan',
  'Emi',
  'Finn',
  'Gen',
  'Hana',
  'Ida',
  'Jun',
  'Ken',
  'Lea',
  'Mio',
  'Nora',
  'Ryo',
];
const family = [
  'Abe',
  'Baker',
  'Chan',
  'Doi',
  'Endo',
  'Fox',
  'Goto',
  'Hill',
  'Ito',
  'Jones',
  'Kato',
  'Lee',
  'Mori',
  'Nagy',
];
const colours = ['red', 'blue', 'green', 'black', 'white', 'grey', 'gold', 'pink', 'brown', 'plain'];
const things = ['lamp', 'cup', 'ball', 'box', 'drum', 'chair', 'rope', 'bell', 'clock', 'shelf', 'kite', 'spade'];

/** Earlier values are more frequent: groups of equal size would make wrong answers right. */
const uneven = <Value>(random: Random, from: readonly Value[]): Value => {
  const place = Math.floor(random.next() ** 1.7 * from.length);
  return from[place] ?? random.pick(from);
};
const valueOf = (random: Random, set: ValueSet): string => uneven(random, Object.keys(values[set]));
const day = (random: Random): string => {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${uneven(random, years.toReversed())}-${two(1 + random.below(12))}-${two(1 + random.below(28))}`;
};
const money = (random: Random, least: number, most: number): number =>
  Math.round((least + random.next() ** 2 * (most - least)) * 100) / 100;
const name = (random: Random, id: number): string => `${random.pick(given)} ${random.pick(family)} ${id}`;

/** How many rows a table has, and how one is made. Keys point to rows that exist. */
const tables: Readonly<Record<string, readonly [rows: number, row: (random: Random, id: number) => Row]>> = {
  category: [8, (_, id) => [Object.keys(values.category)[id - 1] ?? '']],
  supplier: [24, (random, id) => [`${random.pick(family)} & Co ${id}`, valueOf(random, 'country')]],
  product: [
    320,
    (random, id) => [
      `${random.pick(colours)} ${random.pick(things)} ${id}`,
      1 + Math.floor(random.next() ** 1.4 * 8),
      1 + random.below(24),
      money(random, 2, 140),
      random.below(120),
    ],
  ],
  store: [
    10,
    (random, id) => [`store ${id}`, id <= 4 ? (Object.keys(values.region)[id - 1] ?? '') : valueOf(random, 'region')],
  ],
  staff: [
    140,
    (random, id) => [name(random, id), 1 + random.below(10), valueOf(random, 'role'), 180 + random.below(300)],
  ],
  customer: [600, (random, id) => [name(random, id), valueOf(random, 'city'), valueOf(random, 'tier'), day(random)]],
  sale: [
    2400,
    (random) => [
      1 + random.below(520),
      1 + Math.floor(random.next() ** 1.3 * 10),
      day(random),
      valueOf(random, 'status'),
    ],
  ],
  line: [
    6000,
    (random) => [
      1 + random.below(2400),
      1 + Math.floor(random.next() ** 1.3 * 300),
      1 + Math.floor(random.next() ** 2 * 6),
    ],
  ],
  review: [1500, (random) => [1 + random.below(260), 1 + random.below(500), 1 + random.below(5), day(random)]],
  payment: [2300, (random, id) => [id, valueOf(random, 'method'), money(random, 5, 500)]],
  shipment: [
    1500,
    (random) => [1 + random.below(2400), valueOf(random, 'carrier'), 1 + Math.floor(random.next() ** 1.5 * 9)],
  ],
  refund: [400, (random) => [1 + random.below(2400), valueOf(random, 'reason'), money(random, 5, 150)]],
};

export async function makeShop(): Promise<Database> {
  const sqlJs = await initSqlJs();
  const database = new sqlJs.Database();
  database.exec(schema);
  database.exec('BEGIN');
  for (const [place, [table, [rows, make]]] of Object.entries(tables).entries()) {
    const random = createRandom(seed + place); // a table that changes leaves the others as they are
    for (let id = 1; id <= rows; id += 1) {
      const row = [id, ...make(random, id)];
      database.run(`INSERT INTO ${table} VALUES (${row.map(() => '?').join(', ')})`, row);
    }
  }
  database.exec('COMMIT');
  return database;
}
