/** One contract, three stores: a directory, a real S3 server, and the store that NIGHTSTILL_TEST_STORE names. */
import { readEnvironment } from '../../config/environment.js';
import { directoryUnderTest, s3UnderTest, storeUnderTest, type StoreUnderTest } from '../support/store-under-test.js';
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

describe('a directory', () => objectStoreContract(directoryUnderTest));
describe('an S3 server', () => objectStoreContract(s3UnderTest));

const { testStoreUrl } = readEnvironment();
if (testStoreUrl === undefined) {
  process.stdout.write(
    'NIGHTSTILL_TEST_STORE is not set: the contract is checked on a directory and a local S3 server only\n',
  );
} else {
  describe('the store of NIGHTSTILL_TEST_STORE', () =>
    objectStoreContract(() => Promise.resolve(storeUnderTest(testStoreUrl))));
}
