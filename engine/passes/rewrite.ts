/**
 * The rewrites of a recorded program, in order. Each keeps what the program computes and can be left out by name. The
 * simplifying ones uncover work for one another and are repeated until nothing changes any more.
 */
import type { Program } from '../tracing/program.js';
import { broadcastOperands, scalarConstants } from './broadcasts.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { removeDeadCode } from './dead-code.js';
import { foldConstants } from './folding.js';
import { identities } from './identities/identities.js';
import { keepOrder } from './order.js';
import { recompute } from './recompute.js';
import { rowsInPlace } from './rows-in-place.js';
import { splitSums } from './sums.js';

export interface Target {
  /** The program becomes one XLA computation, which knows no order but that of data. */
  readonly xla: boolean;
}

type Pass = (program: Program, target: Target) => Program;

const simplifying = {
  foldConstants,
  scalarConstants,
  broadcastOperands,
  identities,
  commonSubexpressions,
  deadCode: removeDeadCode,
} as const satisfies Record<string, Pass>;

/** Once, at the end: what they add must not be simplified away. */
const arranging = { keepOrder, splitSums, recompute, rowsInPlace } as const satisfies Record<string, Pass>;

export type PassName = keyof typeof simplifying | keyof typeof arranging;

/** `false` leaves a pass out. */
export type PassOptions = Readonly<Partial<Record<PassName, boolean>>>;

export function rewrite(program: Program, options: PassOptions = {}, target: Target = { xla: false }): Program {
  const left = new Set(Object.entries(options).flatMap(([name, on]) => (on ? [] : [name])));
  const apply = (passes: Readonly<Record<string, Pass>>, from: Program): Program =>
    Object.entries(passes).reduce(
      (rewritten, [name, pass]) => (left.has(name) ? rewritten : pass(rewritten, target)),
      from,
    );
  let simplified = apply(simplifying, program);
  for (let before = program; !equal(before, simplified);) {
    before = simplified;
    simplified = apply(simplifying, simplified);
  }
  return apply(arranging, simplified);
}

/** Passes hand on the very operations that they do not change. */
const equal = (one: Program, other: Program): boolean =>
  one.operations.length === other.operations.length &&
  one.operations.every((operation, position) => operation === other.operations[position]);
