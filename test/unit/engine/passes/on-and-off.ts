/** A program as recorded and as rewritten, run side by side. */
import { compile, type ProgramSpec } from '../../../../engine/compile.js';
import { rewrite, type PassName, type PassOptions } from '../../../../engine/passes/rewrite.js';
import { kernelsRunner } from '../../../../engine/runners/kernels.js';
import type { NamedNumbers, Runner } from '../../../../engine/runners/runner.js';
import type { Numbers, Program } from '../../../../engine/tracing/program.js';
import type { TensorSpec } from '../../../../engine/tracing/tensor-spec.js';
import { trace, type ProgramFunction, type TensorSpecs } from '../../../../engine/tracing/trace.js';

export interface Tried {
  readonly state?: TensorSpecs;
  readonly inputs?: TensorSpecs;
  readonly run: ProgramFunction;
}

export const float = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });

export const passNames: readonly PassName[] = [
  ...(['foldConstants', 'scalarConstants', 'broadcastOperands', 'identities', 'commonSubexpressions'] as const),
  ...(['deadCode', 'keepOrder', 'splitSums', 'recompute', 'rowsInPlace'] as const),
];

/** No pass but these. */
export const only = (...passes: readonly PassName[]): PassOptions =>
  Object.fromEntries(passNames.map((name) => [name, passes.includes(name)]));

/** Every pass but this one. */
export const allBut = (pass: PassName): PassOptions => ({ [pass]: false });

/** The kernels of the program after those passes (all, when none is named), constants apart. */
export function kernelsAfter({ state = {}, inputs = {}, run }: Tried, options: PassOptions = {}): string[] {
  return kernelsOf(rewrite(trace('tried', state, inputs, run), options));
}

export const kernelsOf = ({ operations }: Program): string[] =>
  operations.map(({ kernel }) => kernel).filter((kernel) => kernel !== 'Constant' && kernel !== 'Fill');

/** Results of some calls one after another, and the state they leave: with no pass, then with those passes, else all. */
export async function withAndWithout(
  { state = {}, inputs = {}, run }: Tried,
  feeds: readonly NamedNumbers[],
  content: NamedNumbers = {},
  {
    runner = kernelsRunner({ backend: 'cpu' }),
    xla = false,
    passes = {},
  }: { runner?: Runner; xla?: boolean; passes?: PassOptions } = {},
): Promise<[Record<string, Numbers>[], Record<string, Numbers>[]]> {
  const results = async (some: PassOptions): Promise<Record<string, Numbers>[]> => {
    const program: ProgramSpec = { inputs, run, passes: some, xla };
    const session = await compile({ runner, state, programs: { tried: program } });
    try {
      session.write(content);
      const outputs = feeds.map((feed) => session.run('tried', feed));
      return [...outputs, session.read(Object.keys(state))];
    } finally {
      session.dispose();
    }
  };
  return [await results(only()), await results(passes)];
}
