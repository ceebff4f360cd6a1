/** The store of plans that name none, and of verbs that are told none: `NIGHTSTILL_STORE`, or else that of this directory. */
import { readEnvironment, type Variables } from '../config/environment.js';
import { StateDirectory } from './dev/state-directory.js';

export const defaultStore = (variables: Variables): string =>
  readEnvironment(variables).storeUrl ?? new StateDirectory(process.cwd()).storeUrl;

export const storeFlag = {
  store: { value: 'url', summary: 'default NIGHTSTILL_STORE, or else .nightstill/store in the current directory' },
} as const;
