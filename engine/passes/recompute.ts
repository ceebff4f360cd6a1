/**
 * Marked blocks keep none of their inner values for the backward pass: what it needs of them is computed again, block by
 * block, from the block's inputs. The copies stand behind a barrier that waits for the gradient arriving at the block, so no
 * runner can compute them early or find that it has them already (Chen et al. 2016, "Training deep nets with sublinear
 * memory cost").
 *
 * A block hands over what its last operation computes and what other blocks use; whatever else is used later is taken to be
 * backward. The results stay equal bit for bit where a runner computes the same operations in the same way.
 */
import { resultsOf, usesOf, type Operation, type Program, type Value } from '../tracing/program.js';
import { withValues } from './replacement.js';

/** Operations first … last of the program are one block. */
interface Block {
  readonly first: number;
  readonly last: number;
}

/** What is put in before the operation at `at`, and which values its results stand in for from there on. */
interface Insertion {
  readonly at: number;
  readonly operations: readonly Operation[];
  readonly standIns: ReadonlyMap<Value, Value>;
}

export function recompute(program: Program, { xla }: { readonly xla: boolean }): Program {
  const index = new ProgramIndex(program);
  const insertions = blocksOf(program)
    .flatMap((block) => insertionFor(index, block, xla) ?? [])
    .sort((one, other) => one.at - other.at);
  if (insertions.length === 0) return program;
  const standIns = new Map<Value, Value>();
  const operations: Operation[] = [];
  program.operations.forEach((operation, position) => {
    for (; insertions[0]?.at === position; insertions.shift()) {
      const [{ operations: copies, standIns: added }] = [insertions[0]];
      operations.push(...copies.map((copy) => withValues(copy, (value) => standIns.get(value) ?? value)));
      for (const [value, standIn] of added) standIns.set(value, standIn);
    }
    operations.push(
      operation.block === undefined ? withValues(operation, (value) => standIns.get(value) ?? value) : operation,
    );
  });
  return { ...program, operations };
}

/** Blocks are recorded in one go. */
function blocksOf({ operations }: Program): Block[] {
  const blocks: Block[] = [];
  let before: string | undefined;
  operations.forEach(({ block }, position) => {
    const current = blocks.at(-1);
    if (block !== undefined) {
      if (block === before && current !== undefined) blocks[blocks.length - 1] = { ...current, last: position };
      else blocks.push({ first: position, last: position });
    }
    before = block;
  });
  return blocks;
}

class ProgramIndex {
  readonly operations: readonly Operation[];
  readonly results: ReadonlySet<Value>;
  readonly #makers = new Map<Value, number>();
  readonly #users = new Map<Value, number[]>();

  constructor(program: Program) {
    this.operations = program.operations;
    this.results = new Set(resultsOf(program));
    program.operations.forEach((operation, position) => {
      for (const output of operation.outputs) this.#makers.set(output, position);
      for (const value of usesOf(operation)) {
        const users = this.#users.get(value) ?? [];
        users.push(position);
        this.#users.set(value, users);
      }
    });
  }

  /** Where a value is computed; -1 for inputs and state. */
  madeAt(value: Value): number {
    return this.#makers.get(value) ?? -1;
  }

  usedAt(value: Value): readonly number[] {
    return this.#users.get(value) ?? [];
  }

  isConstant(value: Value): boolean {
    return this.operations[this.madeAt(value)]?.constant !== undefined;
  }
}

function insertionFor(index: ProgramIndex, block: Block, xla: boolean): Insertion | undefined {
  const wanted = backwardValues(index, block);
  const users = [...wanted].flatMap((value) => usersAfter(index, value, block)).sort((one, other) => one - other);
  const [at] = users;
  if (at === undefined) return undefined;
  const copied = operationsFor(index, block, wanted);
  const dependency = arrivingGradient(index, block, users, at);
  if (dependency === undefined) return undefined;
  const made = new Set(copied.flatMap(({ outputs }) => outputs));
  const entering = [...new Set(copied.flatMap(usesOf))].filter((value) => !made.has(value) && !index.isConstant(value));
  const behind = new Map<Value, Value>([...entering, dependency].map((value) => [value, { ...value }]));
  const barrier: Operation = {
    kernel: 'Barrier',
    inputs: Object.fromEntries([...behind.keys()].map((value, input) => [`${input}`, value])),
    attributes: { xla },
    outputs: [...behind.values()],
  };
  const copies = copied.map((operation) => copyOf(operation, behind));
  const standIns = [...wanted, dependency].flatMap((value): [Value, Value][] => {
    const copy = behind.get(value);
    return copy === undefined ? [] : [[value, copy]];
  });
  return { at, operations: [barrier, ...copies], standIns: new Map(standIns) };
}

/** The same operation on the other side of the barrier; no longer part of a block's forward pass. */
function copyOf({ block: _, ...operation }: Operation, behind: Map<Value, Value>): Operation {
  const copy = withValues(operation, (value) => behind.get(value) ?? value);
  const outputs = operation.outputs.map((output): Value => ({ ...output }));
  operation.outputs.forEach((output, position) => behind.set(output, outputs[position] ?? output));
  return { ...copy, outputs };
}

const usersAfter = (index: ProgramIndex, value: Value, { last }: Block): number[] =>
  index.usedAt(value).filter((position) => position > last);

/** Inner values of a block that are used after it by no block. */
function backwardValues(index: ProgramIndex, block: Block): Set<Value> {
  const wanted = new Set<Value>();
  for (let position = block.first; position < block.last; position++) {
    const { outputs = [], constant } = index.operations[position] ?? {};
    if (constant !== undefined) continue;
    for (const value of outputs) {
      const users = usersAfter(index, value, block);
      const forward = users.some((user) => index.operations[user]?.block !== undefined);
      if (users.length > 0 && !forward && !index.results.has(value)) wanted.add(value);
    }
  }
  return wanted;
}

/** The operations of the block that compute those values, from values that are kept in any case. */
function operationsFor(index: ProgramIndex, block: Block, wanted: ReadonlySet<Value>): Operation[] {
  const needed = new Set(wanted);
  const operations: Operation[] = [];
  for (let position = block.last; position >= block.first; position--) {
    const operation = index.operations[position];
    if (operation === undefined || operation.constant !== undefined) continue;
    if (!operation.outputs.some((output) => needed.has(output))) continue;
    operations.push(operation);
    for (const value of usesOf(operation)) if (!isKept(index, block, value)) needed.add(value);
  }
  return operations.reverse();
}

/** Made elsewhere, or used by the forward pass elsewhere. */
const isKept = (index: ProgramIndex, block: Block, value: Value): boolean =>
  index.madeAt(value) < block.first ||
  index.results.has(value) ||
  usersAfter(index, value, block).some((user) => index.operations[user]?.block !== undefined);

/** The latest value computed after the block that its first users take: the gradient that arrives at the block. */
function arrivingGradient(
  index: ProgramIndex,
  { last }: Block,
  users: readonly number[],
  at: number,
): Value | undefined {
  const taken = users.flatMap((user) => usesOf(index.operations[user] ?? nothing));
  const candidates = taken.filter((value) => index.madeAt(value) > last && index.madeAt(value) < at);
  const previous = at - 1 > last ? (index.operations[at - 1]?.outputs ?? []) : [];
  const [latest] = (candidates.length > 0 ? candidates : [...previous])
    .filter((value) => !index.isConstant(value))
    .sort((one, other) => index.madeAt(other) - index.madeAt(one));
  return latest;
}

const nothing: Operation = { kernel: 'Constant', inputs: {}, attributes: {}, outputs: [] };
