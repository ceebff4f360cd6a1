/** Flags that every verb which starts workers, or speaks to them, hands on. */
import { resolve } from 'node:path';
import type { Flags } from './command.js';

export const workerFlags = {
  'queue-prefix': {
    value: 'prefix',
    summary: 'of the task queues, so that projects share a namespace; default nightstill',
  },
  stages: { value: 'module', summary: 'stages of your own: a JavaScript module that exports them', offers: 'file' },
  scorers: { value: 'module', summary: 'scorers of your own: a JavaScript module that exports them', offers: 'file' },
} as const satisfies Flags;

/** The flags of a worker process; a module is named by its absolute path. The queue prefix is handed on apart. */
export function workerFlagWords(modules: {
  readonly stages: string | undefined;
  readonly scorers: string | undefined;
  readonly 'data-converter': string | undefined;
}): string[] {
  return (['stages', 'scorers', 'data-converter'] as const).flatMap((name) => {
    const module = modules[name];
    return module === undefined ? [] : [`--${name}`, resolve(module)];
  });
}
