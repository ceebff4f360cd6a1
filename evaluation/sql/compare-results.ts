/**
 * Are two results the same? Rows are a bag (duplicates count, order does not) unless order was asked for; names of columns
 * never matter, their order does unless told otherwise. NULL equals NULL; an integer equals the float of the same value; a
 * float equals what rounding may have made of it; a text never equals a number.
 *
 * Tolerance and bags do not mix by sorting: rows that rounding moved sort differently. So numbers are put into classes
 * first, both results together; then cells are compared by class, exactly.
 */
import type { Cell, QueryRows } from './query-outcome.js';

export interface Comparison {
  readonly ordered: boolean;
  /** May the columns of the one be those of the other in another order? Default: false. */
  readonly anyColumnOrder?: boolean;
  /** Of floats, relative above one and absolute below. Default: 1e-9. */
  readonly tolerance?: number;
}

export function sameResult(one: QueryRows, other: QueryRows, comparison: Comparison): boolean {
  if (one.columns !== other.columns || one.rows.length !== other.rows.length) return false;
  const classOf = numberClasses([...one.rows, ...other.rows], comparison.tolerance ?? 1e-9);
  const [left, right] = [one, other].map(({ rows }) => rows.map((row) => row.map((cell) => cellKey(cell, classOf))));
  if (left === undefined || right === undefined) return false;
  const wanted = rowKeys(left, comparison.ordered);
  const orders = comparison.anyColumnOrder === true ? columnOrders(left, right, one.columns) : [undefined];
  for (const order of orders) {
    const permuted = order === undefined ? right : right.map((row) => order.map((column) => row[column] ?? ''));
    if (rowKeys(permuted, comparison.ordered) === wanted) return true;
  }
  return false;
}

/**
 * Numbers of one class are equal: the sorted values fall apart where two neighbours are further apart than the tolerance.
 * Two integers are equal only when they are the same.
 */
function numberClasses(rows: readonly (readonly Cell[])[], tolerance: number): ReadonlyMap<number, number> {
  const values = new Set(rows.flatMap((row) => row.filter((cell) => typeof cell === 'number')));
  const classes = new Map<number, number>();
  let previous = Number.NaN;
  for (const value of [...values].sort((a, b) => a - b)) {
    const near = value - previous <= tolerance * Math.max(1, Math.abs(value), Math.abs(previous));
    const bothIntegers = Number.isInteger(value) && Number.isInteger(previous);
    const same = near && !bothIntegers && Number.isFinite(value - previous);
    classes.set(value, same ? (classes.get(previous) ?? value) : value);
    previous = value;
  }
  return classes;
}

function cellKey(cell: Cell, classOf: ReadonlyMap<number, number>): string {
  if (cell === null) return 'null';
  if (typeof cell === 'number') return `number ${(classOf.get(cell) ?? cell) + 0}`;
  if (typeof cell === 'string') return `text ${JSON.stringify(cell)}`;
  return `blob ${Buffer.from(cell).toString('hex')}`;
}

/** No key contains a bare tab or line feed: JSON escapes them. */
function rowKeys(rows: readonly (readonly string[])[], ordered: boolean): string {
  const keys = rows.map((row) => row.join('\t'));
  return (ordered ? keys : keys.sort()).join('\n');
}

/** The most orders of columns that are tried: a result with more columns that hold the same values counts as different. */
const mostOrders = 720;

/** The orders of the right columns in which each holds the values of the left column at its place. */
function* columnOrders(
  left: readonly (readonly string[])[],
  right: readonly (readonly string[])[],
  columns: number,
): Generator<readonly number[]> {
  const values = (rows: typeof left, column: number): string =>
    rows
      .map((row) => row[column] ?? '')
      .sort()
      .join('\n');
  const indices = Array.from({ length: columns }, (_, column) => column);
  const [wanted, found] = [
    indices.map((column) => values(left, column)),
    indices.map((column) => values(right, column)),
  ];
  // Otherwise there is no such order; and where there is one, any beginning of an order can be ended.
  if (wanted.toSorted().join('\f') !== found.toSorted().join('\f')) return;
  let tried = 0;
  function* extend(order: readonly number[]): Generator<readonly number[]> {
    if (order.length === columns) {
      tried += 1;
      yield order;
      return;
    }
    for (const column of indices) {
      if (tried >= mostOrders) return;
      if (!order.includes(column) && found[column] === wanted[order.length]) yield* extend([...order, column]);
    }
  }
  yield* extend([]);
}
