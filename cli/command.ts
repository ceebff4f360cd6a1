/**
 * The shape of a verb of the command line. What it takes is data, so that parsing, help, completion and the page of the
 * documentation are made from one table. A verb writes results to standard output and everything else to standard error.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Variables } from '../config/environment.js';
import { isUsageError } from '../config/errors.js';
import { nearest } from '../config/nearest.js';

export interface Flag {
  readonly summary: string;
  /** What its value is called; absent for a switch. */
  readonly value?: string;
  readonly multiple?: true;
  readonly required?: true;
  /** What completion offers for the value. */
  readonly offers?: Offer;
}

/** `words` are offered as they are, the others are looked for in the file system. */
export type Offer = 'file' | 'directory' | 'plan' | readonly string[];

type ParsedOptions = NonNullable<ParseArgsConfig['options']>;

export type Flags = Readonly<Record<string, Flag>>;

/** A word that stands by its place. */
export interface Word {
  readonly name: string;
  readonly optional?: true;
  readonly repeated?: true;
  readonly offers?: Offer;
}

type ValueOf<F extends Flag> = F extends { readonly value: string }
  ? F extends { readonly multiple: true }
    ? readonly string[]
    : F extends { readonly required: true }
      ? string
      : string | undefined
  : boolean;

export interface Invocation<Given extends Flags = Flags> {
  readonly flags: { readonly [Name in keyof Given]: ValueOf<Given[Name]> };
  readonly words: readonly string[];
  readonly variables: Variables;
}

/** How commands are grouped in the overview. */
export type Group = 'runs' | 'machines' | 'data';

export interface Command {
  readonly name: string;
  readonly group: Group;
  /** One line for the list of verbs. */
  readonly summary: string;
  readonly words: readonly Word[];
  readonly flags: Flags;
  /** What `--help` says between usage and flags. */
  readonly about: string;
  /** What follows the flags: a list, an example. */
  readonly closing?: string;
  /** Exit status → what it means, in a few words. */
  readonly exits: Readonly<Record<number, string>>;
  run(arguments_: readonly string[], variables: Variables): Promise<number>;
}

interface Definition<Given extends Flags> extends Omit<Command, 'run' | 'flags' | 'words'> {
  readonly words?: readonly Word[];
  readonly flags: Given;
  run(invocation: Invocation<Given>): Promise<number>;
}

/**
 * Exit statuses that every verb shares; `runEnded` and `left` belong to verbs that wait for a run. 130 is what a shell makes
 * of an interrupt.
 */
export const exitStatus = { ok: 0, systemFault: 1, userFault: 2, runEnded: 3, left: 130 } as const;

export const commonExits = {
  1: 'a machine, a network or nightstill failed',
  2: 'something must be changed by whoever called',
} as const;

/** What was written on the command line does not fit: the help is shown with it. */
export class UsageError extends Error {}

export function defineCommand<const Given extends Flags>(definition: Definition<Given>): Command {
  const { words = [], flags } = definition;
  return {
    ...definition,
    words,
    run: (arguments_, variables) => definition.run({ ...parse({ words, flags }, arguments_), variables }),
  };
}

function parse<Given extends Flags>(
  { words, flags }: { readonly words: readonly Word[]; readonly flags: Given },
  arguments_: readonly string[],
): Omit<Invocation<Given>, 'variables'> {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { value, multiple = false }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple },
    ]),
  );
  const { values, positionals } = parseWords(arguments_, options);
  checkWords(words, positionals);
  const given: Record<string, unknown> = {};
  for (const [name, { value, multiple, required }] of Object.entries(flags)) {
    if (required && values[name] === undefined) throw new UsageError(`expected --${name} <${value}>, found none`);
    given[name] = values[name] ?? (value === undefined ? false : multiple ? [] : undefined);
  }
  return { flags: given as Invocation<Given>['flags'], words: positionals };
}

function parseWords(arguments_: readonly string[], options: ParsedOptions) {
  try {
    return parseArgs({ args: [...arguments_], options, allowPositionals: true });
  } catch (error) {
    // Node's own words for it are about the syntax of command lines.
    const [, unknown] = (isUsageError(error) && /^Unknown option '(-[^']*)'/.exec(error.message)) || [];
    if (unknown === undefined) throw error;
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`expected a flag of this command, found "${unknown}"${nearest(unknown, known)}`, {
      cause: error,
    });
  }
}

function checkWords(words: readonly Word[], given: readonly string[]): void {
  const missing = words.find((word, index) => !word.optional && given[index] === undefined);
  if (missing) throw new UsageError(`expected <${missing.name}>, found nothing`);
  const [surplus] = words.at(-1)?.repeated ? [] : given.slice(words.length);
  if (surplus === undefined) return;
  const most = words.length === 0 ? 'no words' : words.map(({ name }) => `<${name}>`).join(' ');
  throw new UsageError(`expected ${most}, found "${surplus}" as well`);
}
