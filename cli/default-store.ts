/** The store of plans that name none, and of verbs that are told none: `NIGHTSTILL_STORE`, or else that of this directory. */
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

/** Reads what is recorded of a run: where nobody names its store and Temporal cannot say it, from the default one. */
export async function readRecorded<Value>(
  store: string | undefined,
  variables: Variables,
  read: (store?: string) => Promise<Value>,
): Promise<Value> {
  if (store !== undefined) return read(store);
  try {
    return await read();
  } catch (error) {
    if (!hasCode(error, 'temporal-unavailable', 'run-missing')) throw error;
    return await read(defaultStore(variables)).catch((otherwise: unknown) => {
      // Nobody has named that store: why the run was not found is the better answer.
      throw hasCode(otherwise, 'store-missing') ? error : otherwise;
    });
  }
}
