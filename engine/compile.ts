/**
 * `compile()`: plain functions over tfjs tensors become programs that share named state. Each function runs once, on a
 * backend that records; what it recorded is rewritten by passes and handed to a runner. The result is what the function
 * would have computed eagerly, in one call.
 */
import { NightstillError } from '../config/errors.js';
import { rewrite, type PassOptions } from './passes/rewrite.js';
import type { Executable, NamedNumbers, NumbersSource, RunnableProgram, Runner } from './runners/runner.js';
import type { Numbers } from './tracing/program.js';
import { checkSpec } from './tracing/tensor-spec.js';
import { trace, type ProgramFunction, type TensorSpecs } from './tracing/trace.js';

export interface ProgramSpec {
  readonly inputs: TensorSpecs;
  readonly run: ProgramFunction;
  /** Compile the program as one XLA computation, where the runner knows XLA. Default: false. */
  readonly xla?: boolean;
  /** The precision of the operands and results of matrix products; everything else is float32. Default: float32. */
  readonly precision?: 'float32' | 'bfloat16';
  /** Which rewrites to leave out. */
  readonly passes?: PassOptions;
}

export interface CompileOptions<Name extends string> {
  readonly runner: Runner;
  /** Tensors that live between calls, shared by all programs; float32 or int32. They begin as zeros. */
  readonly state: TensorSpecs;
  readonly programs: Readonly<Record<Name, ProgramSpec>>;
}

export interface Session<Name extends string> {
  /**
   * One call of a program; synchronous. The arrays that come back belong to the caller.
   * @param inputs every input, in the element type and size that the program declares
   * @throws program-invalid for other inputs; engine-failed when the runner fails, and out-of-memory: TensorFlow may have made some updates
   *   by then, so the variables that the program updates are undefined until they are written again
   */
  run(program: Name, inputs: NamedNumbers): Record<string, Numbers>;
  /** The content of state variables. @throws program-invalid for an unknown name */
  read(names: readonly string[]): Record<string, Numbers>;
  /** Sets state variables. @throws program-invalid for an unknown name or another type or size */
  write(values: NamedNumbers): void;
  /**
   * Rows of a state variable, along its first axis, so that large variables need not be in JavaScript as a whole.
   * @throws program-invalid for an unknown name, a scalar, or rows that the variable does not have
   */
  readRows(name: string, begin: number, count: number): Numbers;
  /** Sets as many rows as `values` holds. @throws program-invalid as `readRows`, and for a part of a row */
  writeRows(name: string, begin: number, values: Numbers): void;
  /**
   * Sets state variables one after another, large ones first: memory peaks little above the state itself.
   * @param source called for one variable after another, never twice at once; it may answer with the rows that it is asked
   * for, or with the whole variable
   * @throws program-invalid as `write`; what was set before stays set
   */
  load(names: readonly string[], source: NumbersSource): Promise<void>;
  /** Frees what the session holds; no call is possible afterwards. */
  dispose(): void;
  /** Operations of each program, as recorded and as run. */
  readonly operations: Readonly<Record<Name, { readonly recorded: number; readonly run: number }>>;
}

/** @throws trace-reads-value, kernel-unsupported, program-invalid, engine-failed, out-of-memory */
export async function compile<Name extends string>(options: CompileOptions<Name>): Promise<Session<Name>> {
  const { runner, state } = options;
  checkSpecs(options);
  const programs = new Map<string, RunnableProgram>();
  const operations: Record<string, { recorded: number; run: number }> = {};
  for (const [name, spec] of Object.entries<ProgramSpec>(options.programs)) {
    const recorded = trace(name, state, spec.inputs, spec.run);
    const program = rewrite(recorded, spec.passes, { xla: spec.xla ?? false });
    operations[name] = { recorded: recorded.operations.length, run: program.operations.length };
    programs.set(name, { program, xla: spec.xla ?? false, precision: spec.precision ?? 'float32' });
  }
  const executable = await runner.load(state, [...programs.values()]);
  return new CompiledSession(executable, operations);
}

function checkSpecs<Name extends string>({ state, programs }: CompileOptions<Name>): void {
  for (const [name, spec] of Object.entries(state)) checkSpec(`variable "${name}"`, spec);
  for (const [program, { inputs, precision = 'float32' }] of Object.entries<ProgramSpec>(programs)) {
    for (const [name, spec] of Object.entries(inputs))
      checkSpec(`program "${program}" to have the input "${name}"`, spec);
    if (precision !== 'float32' && precision !== 'bfloat16')
      throw new NightstillError(
        'program-invalid',
        `expected program "${program}" in float32 or bfloat16, found ${String(precision)}`,
      );
  }
}

class CompiledSession<Name extends string> implements Session<Name> {
  #executable: Executable | undefined;

  constructor(
    executable: Executable,
    readonly operations: Session<Name>['operations'],
  ) {
    this.#executable = executable;
  }

  run(program: Name, inputs: NamedNumbers): Record<string, Numbers> {
    return this.#alive().run(program, inputs);
  }
  read(names: readonly string[]): Record<string, Numbers> {
    return this.#alive().read(names);
  }
  write(values: NamedNumbers): void {
    this.#alive().write(values);
  }
  readRows(name: string, begin: number, count: number): Numbers {
    return this.#alive().readRows(name, begin, count);
  }
  writeRows(name: string, begin: number, values: Numbers): void {
    this.#alive().writeRows(name, begin, values);
  }
  async load(names: readonly string[], source: NumbersSource): Promise<void> {
    await this.#alive().load(names, source);
  }
  dispose(): void {
    this.#executable?.dispose();
    this.#executable = undefined;
  }

  #alive(): Executable {
    if (this.#executable === undefined)
      throw new NightstillError('program-invalid', 'expected a live session, found one that was disposed');
    return this.#executable;
  }
}
