/** The protocol on a directory, on a real S3 server, and on the store that NIGHTSTILL_TEST_STORE names. */
import { readEnvironment } from '../../config/environment.js';
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { directoryUnderTest, s3UnderTest, storeUnderTest, type StoreUnderTest } from '../support/store-under-test.js';
import { aliasesAndRuns } from './aliases-and-runs.contract.js';
import { checkpointProtocol } from './checkpoints.contract.js';
import { corruption } from './corruption.contract.js';

function protocol(start: () => Promise<StoreUnderTest>): void {
  let started: StoreUnderTest | undefined;
  beforeAll(async () => {
    started = await start();
  });
  afterAll(() => started?.stop());
  const open = async (): Promise<ObjectStore> => {
    if (started === undefined) throw new Error('expected the store to be started before its tests');
    return openObjectStore(started.freshUrl(), { forWriting: true });
  };
  checkpointProtocol(open);
  corruption(open);
  aliasesAndRuns(open);
}

describe('a directory', () => protocol(directoryUnderTest));
describe('an S3 server', () => protocol(s3UnderTest));

const { testStoreUrl } = readEnvironment();
if (testStoreUrl !== undefined)
  describe('the store of NIGHTSTILL_TEST_STORE', () => protocol(() => Promise.resolve(storeUnderTest(testStoreUrl))));
