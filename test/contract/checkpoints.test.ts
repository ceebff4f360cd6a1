/** The protocol on a directory, on a real S3 server, and on the store that NIGHTSTILL_TEST_STORE names. */
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { onEveryStore, type StoreUnderTest } from '../support/store-under-test.js';
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

onEveryStore(protocol);
