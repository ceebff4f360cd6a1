/**
 * Which Temporal server a verb speaks to: the one that Temporal's own settings name (`TEMPORAL_*`, a profile), else the one that
 * serves from the current directory, else the default address of Temporal.
 */
import { Client, Connection } from '@temporalio/client';
import { asTemporalError } from '../client/run-error.js';
import { hasCode, NightstillError } from '../config/errors.js';
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
  const address = settings.connectionOptions.address ?? defaultAddress;
  const connection = Connection.lazy(settings.connectionOptions);
  return openOn(connection, { address, namespace: settings.namespace }, flags['data-converter']);
}

/**
 * @param dataConverter path of a module
 * @throws data-converter-invalid, temporal-unavailable, temporal-refused
 */
export async function openClient(
  { connectionOptions, namespace }: TemporalSettings,
  dataConverter: string | undefined,
): Promise<OpenClient> {
  const address = connectionOptions.address ?? defaultAddress;
  const connection = Connection.lazy({ ...connectionOptions, connectTimeout: connectWithinMs });
  try {
    await connection.ensureConnected();
    return await openOn(connection, { address, namespace }, dataConverter);
  } catch (cause) {
    await connection.close();
    const refusal = asTemporalError(address, cause);
    if (hasCode(refusal, 'temporal-refused')) throw refusal;
    if (hasCode(cause)) throw cause;
    const [reason = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    throw new NightstillError(
      'temporal-unavailable',
      `expected a Temporal server at ${address}, found none: ${reason}`,
      { cause },
    );
  }
}

async function openOn(
  connection: Connection,
  place: Pick<OpenClient, 'address' | 'namespace'>,
  dataConverter: string | undefined,
): Promise<OpenClient> {
  const converter = dataConverter === undefined ? {} : { dataConverter: await loadDataConverter(dataConverter) };
  const client = new Client({ connection, namespace: place.namespace, ...converter });
  return { client, ...place, close: () => connection.close() };
}
