/**
 * The shape of a verb of the command line. A verb reads its own flags, writes results to standard output and everything else
 * to standard error, and returns an exit status: 0 well, 1 a machine, a network or we failed, 2 something must be changed by
 * whoever called.
 */
import type { Variables } from '../config/environment.js';

export interface Command {
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** What `--help` prints: usage, flags, exit status. */
  readonly help: string;
  run(arguments_: readonly string[], variables: Variables): Promise<number>;
}

export const exitStatus = { ok: 0, systemFault: 1, userFault: 2 } as const;
