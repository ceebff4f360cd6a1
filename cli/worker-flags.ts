/** Flags that every verb which starts workers, or speaks to them, hands on. */
import { resolve } from 'node:path';
import type { Flags, Invocation } from './command.js';

export const workerFlags = {
  'queue-prefix': {
    value: 'prefix',
    summary: 'of the task queues, so that projects share a namespace; default nightstill',
  },
  stages: { value: 'module', summary: 'stages of your own: a JavaScript module that exports them', offers: 'file' },
  'data-converter': {
    value: 'module',
    summary: 'encodes what Temporal is given: a JavaScript module that exports a data converter',
    offers: 'file',
  },
} as const satisfies Flags;

/** The flags of a worker process; a module is named by its absolute path. The queue prefix is handed on apart. */
export function workerFlagWords(flags: Invocation<typeof workerFlags>['flags']): string[] {
  const modules = ['stages', 'data-converter'] as const;
  return modules.flatMap((name) => {
    const module = flags[name];
    return module === undefined ? [] : [`--${name}`, resolve(module)];
  });
}
