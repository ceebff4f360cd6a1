/**
 * Which operations of a program replace variables where they lie: an optimizer's update of a weight and its moments, when all
 * three are variables, each replaced by just that result, which nothing else uses.
 */
import { resultsOf, usesOf, type Operation, type Program, type Value } from '../tracing/program.js';

export interface InPlaceUpdate {
  readonly operation: Operation;
  /** Names of the variables by the operation's names for them. */
  readonly variables: Readonly<Record<'weight' | 'm' | 'v', string>>;
}

export function inPlaceUpdates(program: Program): InPlaceUpdate[] {
  const uses = countUses(program);
  const variableOf = new Map([...program.state].map(([name, value]) => [value, name]));
  return program.operations
    .filter(({ kernel }) => kernel === 'AdamW')
    .flatMap((operation) => {
      const replaced = (['weight', 'm', 'v'] as const).map((input, index) => {
        const [before, after] = [operation.inputs[input], operation.outputs[index]];
        const name = before === undefined ? undefined : variableOf.get(before);
        const update = name === undefined ? undefined : program.updates.get(name);
        const only = update?.kind === 'whole' && update.value === after && uses.get(update.value) === 1;
        return only ? name : undefined;
      });
      const [weight, m, v] = replaced;
      if (weight === undefined || m === undefined || v === undefined) return [];
      return [{ operation, variables: { weight, m, v } }];
    });
}

function countUses(program: Program): Map<Value, number> {
  const uses = new Map<Value, number>();
  for (const value of [...program.operations.flatMap(usesOf), ...resultsOf(program)]) {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  }
  return uses;
}
