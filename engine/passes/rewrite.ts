/** The rewrites of a recorded program, in order. Each keeps what the program computes and can be left out. */
import type { Program } from '../tracing/program.js';
import { removeDeadCode } from './dead-code.js';

type Pass = (program: Program) => Program;

const passes = { deadCode: removeDeadCode } as const satisfies Record<string, Pass>;

/** `false` leaves a pass out. */
export type PassOptions = Readonly<Partial<Record<keyof typeof passes, boolean>>>;

export const rewrite = (program: Program, options: PassOptions = {}): Program =>
  Object.entries(passes).reduce(
    (rewritten, [name, pass]) =>
      Object.entries(options).some(([key, on]) => key === name && !on) ? rewritten : pass(rewritten),
    program,
  );
