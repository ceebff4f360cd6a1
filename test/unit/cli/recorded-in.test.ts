/** Which answer a user gets where a run is found neither by Temporal nor in a store. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readRecorded } from '../../../cli/default-store.js';
import { NightstillError } from '../../../config/errors.js';
import { openObjectStore } from '../../../storage/index.js';
import { temporaryDirectory } from '../../support/temporary.js';

const urlOf = (...path: string[]): string => pathToFileURL(join(temporaryDirectory(), ...path)).href;

/** As verbs do that read what is recorded: of Temporal first, then from a store. */
const read = async (store?: string): Promise<string> => {
  if (store === undefined)
    throw new NightstillError('run-missing', 'run night-1: expected a run with this id, found none');
  await (await openObjectStore(store)).close();
  return store;
};

it('a default store that is not there does not hide why the run was not found', async () => {
  const variables = { NIGHTSTILL_STORE: urlOf('none') };
  await expect(readRecorded(undefined, variables, read)).rejects.toMatchObject({ code: 'run-missing' });
});

it('one that is there is read, and one that was named and is not there is told', async () => {
  const NIGHTSTILL_STORE = urlOf();
  expect(await readRecorded(undefined, { NIGHTSTILL_STORE }, read)).toBe(NIGHTSTILL_STORE);
  await expect(readRecorded(urlOf('none'), {}, read)).rejects.toMatchObject({ code: 'store-missing' });
});
