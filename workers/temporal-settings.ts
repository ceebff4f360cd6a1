/**
 * Where Temporal is and how to reach it, by Temporal's own rules (envconfig): `TEMPORAL_*` variables, profiles in a file, TLS,
 * API key. Workers connect with it and `nightstill doctor` judges by it, so that both speak of the same server. It opens no
 * connection. What could not be read is not echoed beyond one line: it may hold a key.
 */
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { NightstillError } from '../config/errors.js';

export interface TemporalSettings {
  /** Its `address` is absent when neither a variable nor a profile names one. */
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
  readonly namespace: string;
}

/** A host of either family, and perhaps a port. */
const isAddress = (address: string): boolean => {
  const [, port] = /^(?:[^\s:/@[\]]+|\[[\da-fA-F:.]+\])(?::(\d{1,5}))?$/.exec(address) ?? [undefined, 'none'];
  return port === undefined || Number(port) <= 65_535;
};

/**
 * @param profile of the file; default: what `TEMPORAL_PROFILE` names, or `default`
 * @throws environment-invalid
 */
export function readTemporalSettings(profile?: string): TemporalSettings {
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig(profile === undefined ? {} : { profile });
    const { address, ...options } = connectionOptions;
    if (address && !isAddress(address)) throw new Error('an address that is not host:port');
    return { connectionOptions: address ? { ...options, address } : options, namespace: namespace || 'default' };
  } catch (cause) {
    const [reason = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    throw new NightstillError(
      'environment-invalid',
      `TEMPORAL_* variables and profile: expected settings that can be read, found: ${reason}`,
      { cause },
    );
  }
}
