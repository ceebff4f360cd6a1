/**
 * The only reader of the process environment. Every variable that nightstill itself understands is named here, with its
 * meaning. Credentials of stores and of Temporal are not among them: they stay in the environment, where their SDKs look for
 * them by themselves.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { NightstillError } from './errors.js';

export interface Environment {
  /** Where set-up keeps what it fetched and built. NIGHTSTILL_CACHE, else XDG_CACHE_HOME/nightstill, else ~/.cache/nightstill. */
  readonly cacheDirectory: string;
  /** Address of a running Temporal server (host:port). TEMPORAL_ADDRESS. */
  readonly temporalAddress?: string;
  /** Directory with libtensorflow and its headers, named by the user. NIGHTSTILL_TENSORFLOW. */
  readonly tensorflowDirectory?: string;
  /** Which build of libtensorflow set-up fetches: NIGHTSTILL_TENSORFLOW_BUILD = cpu | gpu; absent: by what the machine has. */
  readonly tensorflowBuild?: 'cpu' | 'gpu';
  /** Store that `nightstill doctor` looks at; a run uses the one that its plan names. NIGHTSTILL_STORE. */
  readonly storeUrl?: string;
  /** One more store for the contract suite. NIGHTSTILL_TEST_STORE. */
  readonly testStoreUrl?: string;
  /** How many cores of this host the trainings on it may use together. NIGHTSTILL_CORES; absent: all. */
  readonly cores?: number;
  /** Python interpreter for pip. NIGHTSTILL_PYTHON, else `python3`. */
  readonly python: string;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** @throws environment-invalid */
export function readEnvironment(variables: Variables = process.env): Environment {
  const text = (name: string): string | undefined => variables[name]?.trim() || undefined;
  const cacheHome = text('XDG_CACHE_HOME') ?? join(homedir(), '.cache');
  return {
    cacheDirectory: absolute('NIGHTSTILL_CACHE', text('NIGHTSTILL_CACHE')) ?? join(cacheHome, 'nightstill'),
    python: text('NIGHTSTILL_PYTHON') ?? 'python3',
    ...given('temporalAddress', text('TEMPORAL_ADDRESS')),
    ...given('tensorflowDirectory', absolute('NIGHTSTILL_TENSORFLOW', text('NIGHTSTILL_TENSORFLOW'))),
    ...given('tensorflowBuild', build(text('NIGHTSTILL_TENSORFLOW_BUILD'))),
    ...given('storeUrl', text('NIGHTSTILL_STORE')),
    ...given('cores', wholeNumber('NIGHTSTILL_CORES', text('NIGHTSTILL_CORES'))),
    ...given('testStoreUrl', text('NIGHTSTILL_TEST_STORE')),
  };
}

/** Are errors shown with their stack? NIGHTSTILL_DEBUG. Read apart from the rest, which may be what is wrong. */
export const showsStacks = (variables: Variables = process.env): boolean => Boolean(variables['NIGHTSTILL_DEBUG']);

/** What a plan names and a worker has. */
export interface Secret {
  readonly value: string;
  /** `host`, `host:port` or `http://host:port`: it goes to no other. */
  readonly hosts: readonly string[];
}

/** `openai-key` is NIGHTSTILL_SECRET_OPENAI_KEY. */
export const secretVariable = (name: string): string => `NIGHTSTILL_SECRET_${name.toUpperCase().replaceAll('-', '_')}`;

/**
 * NIGHTSTILL_SECRET_<NAME>, or the content of the file that NIGHTSTILL_SECRET_<NAME>_FILE names; and the hosts of
 * NIGHTSTILL_SECRET_<NAME>_HOSTS, with commas between them.
 * @throws environment-invalid
 */
export function readSecret(name: string, variables: Variables = process.env): Secret | undefined {
  const variable = secretVariable(name);
  const file = absolute(`${variable}_FILE`, variables[`${variable}_FILE`]?.trim() || undefined);
  const value = (file === undefined ? variables[variable] : readSecretFile(variable, file))?.trim();
  if (!value) return undefined;
  // It becomes a header. Whoever refuses it there says what it is.
  if (/[^\x20-\x7e]/.test(value))
    throw new NightstillError('environment-invalid', `${variable}: expected one line of printable ASCII, found others`);
  const hosts = (variables[`${variable}_HOSTS`] ?? '').split(',').map((host) => host.trim().toLowerCase());
  return { value, hosts: hosts.filter((host) => host !== '') };
}

function readSecretFile(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new NightstillError('environment-invalid', `${variable}_FILE: expected a file that can be read, found none`, {
      cause,
    });
  }
}

const given = <Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } =>
  value === undefined ? {} : ({ [name]: value } as { [key in Name]: Value });

function absolute(name: string, path: string | undefined): string | undefined {
  if (path === undefined || isAbsolute(path)) return path;
  throw new NightstillError('environment-invalid', `${name}: expected an absolute path, found "${path}"`);
}

function wholeNumber(name: string, value: string | undefined): number | undefined {
  if (value === undefined || /^[1-9][0-9]{0,5}$/.test(value)) return value === undefined ? undefined : Number(value);
  throw new NightstillError('environment-invalid', `${name}: expected a whole number from 1, found "${value}"`);
}

function build(value: string | undefined): 'cpu' | 'gpu' | undefined {
  if (value === undefined || value === 'cpu' || value === 'gpu') return value;
  throw new NightstillError(
    'environment-invalid',
    `NIGHTSTILL_TENSORFLOW_BUILD: expected cpu or gpu, found "${value}"`,
  );
}
