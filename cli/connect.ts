/**
 * Which Temporal server a verb speaks to: the one that Temporal's own settings name (`TEMPORAL_*`, a profile), else the one that
 * serves from the current directory, else the default address of Temporal.
 */
import { Client, Connection } from '@temporalio/client';
import { asTemporalError, grpcErrorOf } from '../client/run-error.js';
import { hasCode, NightstillError } from '../config/errors.js';
import { sayUnreachable } from '../config/unreachable.js';
import { loadDataConverter } from '../workers/load-module.js';
import { readTemporalSettings, type TemporalSettings } from '../workers/temporal-settings.js';
import type { Invocation } from './command.js';
import type { connectionFlags } from './connection-flags.js';
import { StateDirectory, type ServingNote } from './dev/state-directory.js';

export interface TemporalPlace {
  readonly settings: TemporalSettings;
  /** Where the address comes from. */
  readonly from: 'settings' | 'directory' | 'default';
  /** Of the server that serves from this directory. */
  readonly note?: ServingNote;
}

export const defaultAddress = '127.0.0.1:7233';

/** @throws environment-invalid */
export async function findTemporal(profile: string | undefined): Promise<TemporalPlace> {
  const settings = readTemporalSettings(profile);
  if (settings.connectionOptions.address !== undefined) return { settings, from: 'settings' };
  const note = await new StateDirectory(process.cwd()).serving();
  const address = note?.address ?? defaultAddress;
  const connectionOptions = { ...settings.connectionOptions, address };
  return {
    settings: { ...settings, connectionOptions },
    ...(note ? { from: 'directory', note } : { from: 'default' }),
  };
}

export interface OpenClient {
  readonly client: Client;
  readonly address: string;
  readonly namespace: string;
  /** Why the server gave no answer, in a few words. */
  readonly whySilent: () => Promise<string>;
  close(): Promise<void>;
}

const connectWithinMs = 10_000;

type ConnectionFlags = Invocation<typeof connectionFlags>['flags'];

/**
 * A client of the server that the flags name.
 * @throws environment-invalid, data-converter-invalid, temporal-unavailable, temporal-refused
 */
export async function connect(flags: ConnectionFlags): Promise<OpenClient> {
  return openClient((await findTemporal(flags.profile)).settings, flags['data-converter']);
}

/**
 * The same without asking whether the server answers: for verbs that can do without it.
 * @throws environment-invalid, data-converter-invalid
 */
export async function connectLazily(flags: ConnectionFlags): Promise<OpenClient> {
  const { settings } = await findTemporal(flags.profile);
  return openOn(Connection.lazy(settings.connectionOptions), settings, flags['data-converter']);
}

/**
 * @param dataConverter path of a module
 * @throws data-converter-invalid, temporal-unavailable, temporal-refused
 */
export async function openClient(settings: TemporalSettings, dataConverter: string | undefined): Promise<OpenClient> {
  const { connectionOptions } = settings;
  const address = connectionOptions.address ?? defaultAddress;
  const connection = Connection.lazy({ ...connectionOptions, connectTimeout: connectWithinMs });
  try {
    await connection.ensureConnected();
    return await openOn(connection, settings, dataConverter);
  } catch (cause) {
    await connection.close();
    const refusal = asTemporalError(address, cause);
    if (hasCode(refusal, 'temporal-refused')) throw refusal;
    if (hasCode(cause)) throw cause;
    const found = await whyUnreachable(connectionOptions);
    throw new NightstillError(
      'temporal-unavailable',
      `expected a Temporal server at ${address} that answers within ${connectWithinMs / 1000} s, found none: ${found}`,
      { cause },
    );
  }
}

/**
 * Names the server that gave no answer, which its client does not know by address.
 * @param wanted in a few words
 * @throws what `ask` throws; temporal-unavailable with the address, and why there was no answer
 */
export async function askServer<Value>(
  { address, whySilent }: OpenClient,
  wanted: string,
  ask: () => Promise<Value>,
): Promise<Value> {
  try {
    return await ask();
  } catch (cause) {
    if (!hasCode(cause, 'temporal-unavailable')) throw cause;
    throw new NightstillError(
      'temporal-unavailable',
      `expected ${wanted} of a Temporal server at ${address}, found none: ${await whySilent()}`,
      { cause },
    );
  }
}

const onceWithinMs = 3000;

/** The client tries again until time is up, and then says that: what is wrong, one call that is not repeated tells. */
async function whyUnreachable(options: TemporalSettings['connectionOptions']): Promise<string> {
  // With a connection of its own: one that is shared waits before it tries again, and has nothing to say.
  const channelArgs = { 'grpc.use_local_subchannel_pool': 1 };
  const connection = Connection.lazy({ ...options, channelArgs, interceptors: [] });
  try {
    await connection.withDeadline(Date.now() + onceWithinMs, () => connection.workflowService.getSystemInfo({}));
    return 'no answer in time';
  } catch (error) {
    return sayUnreachable(grpcErrorOf(error)?.details ?? (error instanceof Error ? error.message : String(error)));
  } finally {
    await connection.close();
  }
}

async function openOn(
  connection: Connection,
  { connectionOptions, namespace }: TemporalSettings,
  dataConverter: string | undefined,
): Promise<OpenClient> {
  const converter = dataConverter === undefined ? {} : { dataConverter: await loadDataConverter(dataConverter) };
  return {
    client: new Client({ connection, namespace, ...converter }),
    address: connectionOptions.address ?? defaultAddress,
    namespace,
    whySilent: () => whyUnreachable(connectionOptions),
    close: () => connection.close(),
  };
}
