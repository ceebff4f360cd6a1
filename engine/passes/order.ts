/** Order that XLA keeps: what waits for a value takes it through a barrier, since control dependencies are lost there. */
import type { Program } from '../tracing/program.js';
import { instead, replaceOperations } from './replacement.js';

export const keepOrder = (program: Program, { xla }: { readonly xla: boolean }): Program =>
  xla
    ? replaceOperations(program, (operation) => {
        const { x, dependency } = operation.inputs;
        if (operation.kernel !== 'After' || x === undefined || dependency?.dtype !== 'float32') return undefined;
        const inputs = { 0: x, 1: dependency };
        return { operations: [instead(operation, 'Barrier', inputs, { xla, values: 1 })] };
      })
    : program;
