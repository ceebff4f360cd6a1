/**
 * Lets rows of a variable be replaced where they lie: a variable is followed through reshapes and replacements, and where the
 * last of them becomes its new content, and whatever reads an older content has run before that content changes, no copy is
 * needed. In an XLA computation XLA decides that itself.
 */
import { usesOf, type Operation, type Program, type Value } from '../tracing/program.js';

/** Kernels whose result is the same memory under another shape. */
const views = new Set(['Reshape', 'ExpandDims']);

/** Kernels that read a tensor and hand out memory of their own. */
const readers = new Set(['BatchMatMul', 'GatherV2']);

export function rowsInPlace(program: Program, { xla }: { readonly xla: boolean }): Program {
  if (xla) return program;
  const makers = new Map(
    program.operations.flatMap((operation) => operation.outputs.map((value) => [value, operation])),
  );
  const inPlace = new Set([...program.state].flatMap(([name, value]) => replacements(program, makers, name, value)));
  if (inPlace.size === 0) return program;
  const operations = program.operations.map((operation) =>
    inPlace.has(operation) ? { ...operation, attributes: { ...operation.attributes, inPlace: true } } : operation,
  );
  return { ...program, operations };
}

type Makers = ReadonlyMap<Value, Operation>;

/** The replacements of rows of one variable, if all of them may happen in place. */
function replacements(program: Program, makers: Makers, name: string, variable: Value): Operation[] {
  /** What shares the memory of the variable as it now is, and all that ever did. */
  let current = new Set([variable]);
  const shared = new Set([variable]);
  let read: Operation[] = [];
  const replaced: Operation[] = [];
  for (const operation of program.operations) {
    const used = usesOf(operation).filter((value) => shared.has(value));
    const [output] = operation.outputs;
    if (used.length === 0 || output === undefined) continue;
    if (used.some((value) => !current.has(value))) return [];
    if (views.has(operation.kernel)) {
      current.add(output);
      shared.add(output);
    } else if (isReplacement(operation, used)) {
      const before = ancestors(makers, operation);
      if (!read.every((reader) => before.has(reader))) return [];
      replaced.push(operation);
      read = [];
      current = new Set([output]);
      shared.add(output);
    } else if (readers.has(operation.kernel)) read.push(operation);
    else return [];
  }
  const update = program.updates.get(name);
  const becomes = update?.kind === 'whole' && current.has(update.value);
  const elsewhere = [...program.updates].flatMap(([other, made]) =>
    other === name ? [] : made.kind === 'whole' ? [made.value] : [made.indices, made.values],
  );
  const handedOut = [...program.outputs.values(), ...elsewhere].some((value) => shared.has(value));
  return becomes && !handedOut ? replaced : [];
}

/** Rows of the variable itself are replaced, by something else than its own content. */
const isReplacement = ({ kernel, inputs }: Operation, used: readonly Value[]): boolean =>
  kernel === 'ReplaceRows' && used.length === 1 && used[0] === inputs['x'];

function ancestors(makers: Makers, operation: Operation): ReadonlySet<Operation> {
  const found = new Set<Operation>();
  const waiting = [operation];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const value of usesOf(next)) {
      const maker = makers.get(value);
      if (maker === undefined || found.has(maker)) continue;
      found.add(maker);
      waiting.push(maker);
    }
  }
  return found;
}
