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
  refuseEmpty(values);
  const { role, 'queue-prefix': queuePrefix, stages, scorers, 'data-converter': dataConverter, devices } = values;
  const { 'end-within': endWithin } = values;
  return {
    roles: role === undefined ? roles : rolesOf(role),
    ...(queuePrefix !== undefined && { queuePrefix }),
    ...(stages !== undefined && { stages }),
    ...(scorers !== undefined && { scorers }),
    ...(dataConverter !== undefined && { dataConverter }),
    ...(devices !== undefined && { devices: listed(devices) }),
    ...(endWithin !== undefined && { endWithinMs: milliseconds(endWithin) }),
  };
}

/** Such as of a variable that is not set: it must not stand for the default, nor for nothing at all. */
function refuseEmpty(values: Readonly<Record<string, string | undefined>>): void {
  for (const [flag, value] of Object.entries(values))
    if (value !== undefined && listed(value).length === 0)
      throw mistake(`--${flag}: expected a value, found '${value}'; leave the flag out for its default`);
}

function rolesOf(text: string): readonly Role[] {
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
