/** What the command line of a worker process says. Anything else on it is a mistake, and said to be one. */
import { parseArgs } from 'node:util';
import { roles, type Role } from '../config/queues.js';

export interface WorkerArguments {
  /** Each once. */
  readonly roles: readonly Role[];
  readonly queuePrefix?: string;
  /** Path of a module. */
  readonly stages?: string;
  /** Path of a module. */
  readonly scorers?: string;
  /** Path of a module. */
  readonly dataConverter?: string;
  readonly devices?: readonly string[];
  readonly endWithinMs?: number;
}

export const workerUsage = `flags of a worker:
  --role <role,...>          what it is able to do: ${roles.join(', ')}; default: all
  --queue-prefix <prefix>    prefix of its queues; default: nightstill
  --stages <module>          stages of your own: a JavaScript module that exports a list of them
  --scorers <module>         scorers of your own: a JavaScript module that exports a list of them
  --data-converter <module>  encodes what Temporal is given: a JavaScript module that exports a data converter
  --devices <device,...>     devices of a gpu worker, one stage at a time each: cpu, or as CUDA names them; default: what is there
  --end-within <seconds>     that stages may take to end when the worker is asked to; default: 60`;

const flags = {
  role: { type: 'string' },
  'queue-prefix': { type: 'string' },
  stages: { type: 'string' },
  scorers: { type: 'string' },
  'data-converter': { type: 'string' },
  devices: { type: 'string' },
  'end-within': { type: 'string' },
} as const;

/**
 * @param words without the program: `--role io,gpu --queue-prefix night`
 * @throws TypeError for unknown flags, missing values and values that are none: see `isUsageError`
 */
export function parseWorkerArguments(words: readonly string[]): WorkerArguments {
  const { values } = parseArgs({ args: [...words], options: flags });
  return {
    roles: rolesOf(values.role),
    ...given('queuePrefix', values['queue-prefix']),
    ...given('stages', values.stages),
    ...given('scorers', values.scorers),
    ...given('dataConverter', values['data-converter']),
    ...given('devices', values.devices && listed(values.devices)),
    ...given('endWithinMs', values['end-within'] && milliseconds(values['end-within'])),
  };
}

function rolesOf(text: string | undefined): readonly Role[] {
  if (text === undefined) return roles;
  return [...new Set(listed(text))].map((name) => {
    const role = roles.find((known) => known === name);
    if (role !== undefined) return role;
    throw mistake(`--role: expected ${roles.join(', ')}, found '${name}'`);
  });
}

function milliseconds(seconds: string): number {
  if (/^\d+(\.\d+)?$/.test(seconds)) return Number(seconds) * 1000;
  throw mistake(`--end-within: expected a number of seconds, found '${seconds}'`);
}

const mistake = (message: string): TypeError =>
  Object.assign(new TypeError(message), { code: 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' });

const listed = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

const given = <Name extends string, Value>(name: Name, value: Value | undefined | ''): { [key in Name]?: Value } =>
  value === undefined || value === '' ? {} : ({ [name]: value } as { [key in Name]: Value });
