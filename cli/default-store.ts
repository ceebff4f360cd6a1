/** The store of plans that name none, and of verbs that are told none: `NIGHTSTILL_STORE`, or else that of this directory. */
import { existsSync } from 'node:fs';
import { readEnvironment, type Variables } from '../config/environment.js';
import { hasCode } from '../config/errors.js';
import { StateDirectory } from './dev/state-directory.js';

export const defaultStore = (variables: Variables): string =>
  readEnvironment(variables).storeUrl ?? new StateDirectory(process.cwd()).storeUrl;

export const storeFlag = {
  store: { value: 'url', summary: 'default NIGHTSTILL_STORE, or else .nightstill/store in the current directory' },
} as const;

export const recordedInFlag = {
  store: {
    value: 'url',
    summary:
      'where the run is recorded; default: that of its plan as Temporal knows it, or else NIGHTSTILL_STORE or .nightstill/store',
  },
} as const;

/**
 * The default store where it may know of a run. Nobody has named that of this directory, so where it is not there, why Temporal does not
 * tell of the run is the better answer.
 */
export function storeOfRecords(variables: Variables): string | undefined {
  const { storeUrl } = new StateDirectory(process.cwd());
  return readEnvironment(variables).storeUrl ?? (existsSync(new URL(storeUrl)) ? storeUrl : undefined);
}

/** Reads what is recorded of a run: where nobody names its store and Temporal cannot say it, from the default one. */
export async function readRecorded<Value>(
  named: string | undefined,
  variables: Variables,
  read: (store?: string) => Promise<Value>,
): Promise<Value> {
  if (named !== undefined) return read(named);
  try {
    return await read();
  } catch (error) {
    const store = storeOfRecords(variables);
    if (store === undefined || !hasCode(error, 'temporal-unavailable', 'temporal-refused', 'run-missing')) throw error;
    return await read(store).catch((otherwise: unknown) => {
      throw hasCode(otherwise, 'run-missing') ? error : otherwise;
    });
  }
}
