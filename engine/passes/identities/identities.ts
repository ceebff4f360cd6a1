/** Operations that change nothing, or that a shorter one says. */
import type { Program } from '../../tracing/program.js';
import { replaceOperations } from '../replacement.js';
import { arithmeticIdentity } from './arithmetic.js';
import { layoutIdentity } from './layout.js';

export const identities = (program: Program): Program =>
  replaceOperations(
    program,
    (operation, makerOf) => arithmeticIdentity(operation, makerOf) ?? layoutIdentity(operation, makerOf),
  );
