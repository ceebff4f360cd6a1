/** Removes operations that no output and no update needs: gradients leave many behind. */
import { resultsOf, usesOf, type Operation, type Program } from '../tracing/program.js';

export function removeDeadCode(program: Program): Program {
  const needed = new Set(resultsOf(program));
  const kept: Operation[] = [];
  for (const operation of program.operations.toReversed()) {
    if (!operation.outputs.some((output) => needed.has(output))) continue;
    kept.push(operation);
    for (const value of usesOf(operation)) needed.add(value);
  }
  return { ...program, operations: kept.toReversed() };
}
