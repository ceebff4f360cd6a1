/** Where the values of a program are made and used, by position among its operations. */
import { resultsOf, usesOf, type Operation, type Program, type Value } from '../tracing/program.js';

export class ProgramIndex {
  readonly operations: readonly Operation[];
  readonly #results: ReadonlySet<Value>;
  readonly #activations = new Set<Value>();
  readonly #makers = new Map<Value, number>();
  readonly #users = new Map<Value, number[]>();

  constructor(program: Program) {
    this.operations = program.operations;
    this.#results = new Set(resultsOf(program));
    const state = new Set(program.state.values());
    program.operations.forEach((operation, position) => {
      const uses = usesOf(operation);
      const ofState = uses.some((value) => state.has(value) || this.#activations.has(value));
      for (const output of operation.outputs) {
        this.#makers.set(output, position);
        if (ofState) this.#activations.add(output);
      }
      for (const value of uses) {
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

  usedAfter(value: Value, position: number): readonly number[] {
    return (this.#users.get(value) ?? []).filter((user) => user > position);
  }

  /** Handed over by the program or kept in its state. */
  isResult(value: Value): boolean {
    return this.#results.has(value);
  }

  /** Computed from state. */
  isActivation(value: Value): boolean {
    return this.#activations.has(value);
  }

  isConstant(value: Value): boolean {
    return this.operations[this.madeAt(value)]?.constant !== undefined;
  }

  /** What the operations from one position up to another leave behind for later ones. */
  leftBetween(from: number, to: number): Value[] {
    return this.operations
      .slice(from, to)
      .filter(({ constant }) => constant === undefined)
      .flatMap(({ outputs }) => outputs)
      .filter((value) => this.#users.get(value)?.every((user) => user >= to) ?? this.isResult(value));
  }
}
