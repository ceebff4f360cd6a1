/**
 * Marked blocks keep none of their inner values for the backward pass: what it needs of them is computed again, block by
 * block, from the block's inputs (Chen et al. 2016, "Training deep nets with sublinear memory cost"). The copies of a block
 * stand behind one barrier. It waits for the gradient that arrives at the block, so no runner can compute them early or find
 * that it has them already; and for the gradients of the weights of the block before, which a runner would otherwise put off
 * while it keeps what they are made of. The results stay those of the same operations.
 *
 * A block hands over what its last operation computes and what other blocks use; whatever else is used later is taken to be
 * backward.
 */
import { usesOf, type Operation, type Program, type Value } from '../tracing/program.js';
import { ProgramIndex } from './program-index.js';
import { withValues } from './replacement.js';

/** Operations first … last of the program are one block. */
interface Block {
  readonly first: number;
  readonly last: number;
}

/** What is to be computed again before the operation at `at`. */
interface Plan {
  readonly at: number;
  readonly copied: readonly Operation[];
  readonly wanted: ReadonlySet<Value>;
  /** The gradient that arrives at the block. */
  readonly gradient: Value;
}

export function recompute(program: Program, { xla }: { readonly xla: boolean }): Program {
  const index = new ProgramIndex(program);
  const plans = blocksOf(program)
    .flatMap((block) => planFor(index, block) ?? [])
    .sort((one, other) => one.at - other.at);
  const standIns = new Map<Value, Value>();
  const operations: Operation[] = [];
  let done = 0;
  for (const [number, plan] of plans.entries()) {
    const before = plans[number - 1];
    const left = before === undefined ? [] : index.leftBetween(before.at, plan.at);
    operations.push(...program.operations.slice(done, plan.at).map((operation) => redirected(operation, standIns)));
    operations.push(...copies(index, plan, left, standIns, xla));
    done = plan.at;
  }
  operations.push(...program.operations.slice(done).map((operation) => redirected(operation, standIns)));
  return { ...program, operations };
}

/** Backward operations take what was computed again. */
const redirected = (operation: Operation, standIns: ReadonlyMap<Value, Value>): Operation =>
  operation.block === undefined ? withValues(operation, (value) => standIns.get(value) ?? value) : operation;

/** A barrier and, behind it, the operations of a block once more; `standIns` learns of their results. */
function copies(
  index: ProgramIndex,
  { copied, wanted, gradient }: Plan,
  left: readonly Value[],
  standIns: Map<Value, Value>,
  xla: boolean,
): Operation[] {
  const made = new Set(copied.flatMap(({ outputs }) => outputs));
  // In a graph a barrier costs nothing: all inputs pass it. For XLA each costs a select, so only what is computed from state does:
  // enough for the copies not to be merged with their originals.
  const passes = (value: Value): boolean => (xla ? index.isActivation(value) : !index.isConstant(value));
  const entering = [...new Set(copied.flatMap(usesOf))].filter((value) => !made.has(value) && passes(value));
  const behind = new Map<Value, Value>(entering.map((value) => [value, { ...value }]));
  const awaited = new Set([gradient, ...left].filter(({ dtype }) => dtype === 'float32'));
  const barrier: Operation = {
    kernel: 'Barrier',
    inputs: Object.fromEntries([...entering, ...awaited].map((value, input) => [`${input}`, value])),
    attributes: { xla, values: entering.length },
    outputs: [...behind.values()],
  };
  const again = copied.map((operation) => copyOf(operation, behind));
  for (const value of wanted) standIns.set(value, behind.get(value) ?? value);
  return [barrier, ...again];
}

/** The same operation on the other side of the barrier; no longer part of a block's forward pass. */
function copyOf(operation: Operation, behind: Map<Value, Value>): Operation {
  const { kernel, inputs, attributes, after } = withValues(operation, (value) => behind.get(value) ?? value);
  const outputs = operation.outputs.map((output): Value => ({ ...output }));
  operation.outputs.forEach((output, position) => behind.set(output, outputs[position] ?? output));
  return { kernel, inputs, attributes, outputs, ...(after && { after }) };
}

/** Blocks are recorded in one go. */
function blocksOf({ operations }: Program): Block[] {
  const blocks: Block[] = [];
  let before: string | undefined;
  operations.forEach(({ block }, position) => {
    if (block !== undefined) {
      const begun = block === before ? blocks.pop() : undefined;
      blocks.push({ first: begun?.first ?? position, last: position });
    }
    before = block;
  });
  return blocks;
}

function planFor(index: ProgramIndex, block: Block): Plan | undefined {
  const wanted = backwardValues(index, block);
  const users = [...wanted].flatMap((value) => index.usedAfter(value, block.last)).sort((one, other) => one - other);
  const [at] = users;
  if (at === undefined) return undefined;
  const gradient = arrivingGradient(index, block, users, at);
  return gradient && { at, wanted, gradient, copied: operationsFor(index, block, wanted) };
}

/** Inner values of a block that are used after it, and by no other block. */
function backwardValues(index: ProgramIndex, block: Block): Set<Value> {
  const inner = index.operations
    .slice(block.first, block.last)
    .filter(({ constant }) => constant === undefined)
    .flatMap(({ outputs }) => outputs);
  return new Set(
    inner.filter((value) => index.usedAfter(value, block.last).length > 0 && !isKept(index, block, value)),
  );
}

/** Made before the block, a result of the program, or used by the forward pass elsewhere. */
const isKept = (index: ProgramIndex, block: Block, value: Value): boolean =>
  index.madeAt(value) < block.first ||
  index.isResult(value) ||
  index.usedAfter(value, block.last).some((user) => index.operations[user]?.block !== undefined);

/** The operations of the block that compute those values, from values that are kept in any case. */
function operationsFor(index: ProgramIndex, block: Block, wanted: ReadonlySet<Value>): Operation[] {
  const needed = new Set(wanted);
  const operations: Operation[] = [];
  for (const operation of index.operations.slice(block.first, block.last + 1).reverse()) {
    if (operation.constant !== undefined || !operation.outputs.some((output) => needed.has(output))) continue;
    operations.push(operation);
    for (const value of usesOf(operation)) if (!isKept(index, block, value)) needed.add(value);
  }
  return operations.reverse();
}

/** Of the values that the backward pass takes beside the block's inner ones, the latest that is computed after the block. */
function arrivingGradient(
  index: ProgramIndex,
  { last }: Block,
  users: readonly number[],
  at: number,
): Value | undefined {
  const taken = users.flatMap((user) => usedBy(index.operations[user]));
  const previous = index.operations[at - 1]?.outputs ?? [];
  const candidates = [...previous, ...taken].filter(
    (value) => index.madeAt(value) > last && index.madeAt(value) < at && isGradient(index, value),
  );
  const latest = candidates.filter((value) => taken.includes(value));
  return (latest.length > 0 ? latest : candidates).sort((one, other) => index.madeAt(other) - index.madeAt(one))[0];
}

const usedBy = (operation: Operation | undefined): readonly Value[] =>
  operation === undefined ? [] : usesOf(operation);

const isGradient = (index: ProgramIndex, value: Value): boolean =>
  value.dtype === 'float32' && !index.isConstant(value);
