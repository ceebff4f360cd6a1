/**
 * Which Temporal server a verb speaks to: the one that Temporal's own settings name (`TEMPORAL_*`, a profile), else the one that
 * serves from the current directory, else the default address of Temporal.
 */
import { Client, Connection } from '@temporalio/client';
import { NightstillError } from '../config/errors.js';
import { readTemporalSettings, type TemporalSettings } from '../workers/temporal-settings.js';
import type { Flags } from './command.js';
import { StateDirectory, type ServingNote } from './dev/state-directory.js';

export const connectionFlags = {
  profile: { value: 'name', summary: 'of the Temporal configuration file: address, namespace, TLS, API key' },
} as const satisfies Flags;

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

/** @throws temporal-unavailable */
export async function openClient({ connectionOptions, namespace }: TemporalSettings): Promise<OpenClient> {
  const address = connectionOptions.address ?? defaultAddress;
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: connectWithinMs });
    const client = new Client({ connection, namespace });
    return { client, address, namespace, close: () => connection.close() };
  } catch (cause) {
    const [reason = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    throw new NightstillError(
      'temporal-unavailable',
      `expected a Temporal server at ${address}, found none: ${reason}`,
      {
        cause,
      },
    );
  }
}
