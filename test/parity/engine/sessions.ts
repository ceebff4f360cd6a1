/** Sessions of small programs, freed after each test, and short names for what they are fed. */
import { compile, type Session } from '../../../engine/compile.js';
import type { Runner } from '../../../engine/runners/runner.js';
import type { TensorSpec } from '../../../engine/tracing/tensor-spec.js';
import type { ProgramFunction } from '../../../engine/tracing/trace.js';

export const float = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });
export const integer = (...shape: number[]): TensorSpec => ({ shape, dtype: 'int32' });
export const floats = (...numbers: number[]): Float32Array => Float32Array.from(numbers);
export const integers = (...numbers: number[]): Int32Array => Int32Array.from(numbers);

/** Programs by name: their inputs and their function. */
export type Programs = Readonly<Record<string, [Record<string, TensorSpec>, ProgramFunction]>>;

/** Called within `describe`: what it returns compiles programs that live until the test ends. */
export function sessionsOn(
  makeRunner: () => Promise<Runner>,
  xla: boolean,
): (state: Record<string, TensorSpec>, programs: Programs) => Promise<Session<string>> {
  const open: Session<string>[] = [];
  afterEach(() => {
    for (const session of open.splice(0)) session.dispose();
  });
  return async (state, programs) => {
    const specs = Object.entries(programs).map(([name, [inputs, run]]) => [name, { inputs, run, xla }] as const);
    const session = await compile({ runner: await makeRunner(), state, programs: Object.fromEntries(specs) });
    open.push(session);
    return session;
  };
}
