/** One contract, three stores: a directory, a real S3 server, and the store that NIGHTSTILL_TEST_STORE names. */
import { onEveryStore, type StoreUnderTest } from '../support/store-under-test.js';
import { objectStoreRaces } from './object-store-races.contract.js';
import { objectStoreSizes } from './object-store-sizes.contract.js';
import { objectStoreVerbs } from './object-store.contract.js';

function objectStoreContract(start: () => Promise<StoreUnderTest>): void {
  let started: StoreUnderTest | undefined;
  beforeAll(async () => {
    started = await start();
  });
  afterAll(() => started?.stop());
  const underTest = (): StoreUnderTest => {
    if (started === undefined) throw new Error('expected the store to be started before its tests');
    return started;
  };
  objectStoreVerbs(underTest);
  objectStoreRaces(underTest);
  objectStoreSizes(underTest);
}

onEveryStore(objectStoreContract);
