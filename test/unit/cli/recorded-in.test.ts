/** Which answer a user gets where a run is found neither by Temporal nor in a store. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readRecorded } from '../../../cli/default-store.js';
import { NightstillError } from '../../../config/errors.js';
import type { FailureCode } from '../../../config/failures.js';
import { openObjectStore } from '../../../storage/index.js';
import { temporaryDirectory } from '../../support/temporary.js';

const urlOf = (...path: string[]): string => pathToFileURL(join(temporaryDirectory(), ...path)).href;

/** As verbs do that read what is recorded: of Temporal first, then from a store, which here knows what it is called. */
const asked =
  (code: FailureCode = 'run-missing', knows = true) =>
  async (store?: string): Promise<string> => {
    if (store === undefined) throw new NightstillError(code, 'run night-1: expected a run with this id, found none');
    await (await openObjectStore(store)).close();
    if (knows) return store;
    throw new NightstillError('run-missing', 'run night-1: expected its record in the store, found none');
  };

it('a directory without a store does not hide why the run was not found', async () => {
  const before = process.cwd();
  process.chdir(temporaryDirectory());
  try {
    await expect(readRecorded(undefined, {}, asked())).rejects.toMatchObject({ code: 'run-missing' });
  } finally {
    process.chdir(before);
  }
});

it('a store that is there is read, and one that was named and is not there is told', async () => {
  const [NIGHTSTILL_STORE, none] = [urlOf(), urlOf('none')];
  expect(await readRecorded(undefined, { NIGHTSTILL_STORE }, asked())).toBe(NIGHTSTILL_STORE);
  await expect(readRecorded(none, {}, asked())).rejects.toMatchObject({ code: 'store-missing' });
  await expect(readRecorded(undefined, { NIGHTSTILL_STORE: none }, asked())).rejects.toMatchObject({
    code: 'store-missing',
  });
});

it('a store that does not know the run does not hide that Temporal has refused to tell', async () => {
  const NIGHTSTILL_STORE = urlOf();
  const read = readRecorded(undefined, { NIGHTSTILL_STORE }, asked('temporal-refused', false));
  await expect(read).rejects.toMatchObject({ code: 'temporal-refused' });
});
