/** The response ledger on a directory, on a real S3 server, and on the store that NIGHTSTILL_TEST_STORE names. */
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { onEveryStore, type StoreUnderTest } from '../support/store-under-test.js';
import { budgets } from './budgets.contract.js';
import { responseLedger } from './responses.contract.js';

function responses(start: () => Promise<StoreUnderTest>): void {
  let started: StoreUnderTest | undefined;
  beforeAll(async () => {
    started = await start();
  });
  afterAll(() => started?.stop());
  const open = async (): Promise<ObjectStore> => {
    if (started === undefined) throw new Error('expected the store to be started before its tests');
    return openObjectStore(started.freshUrl());
  };
  responseLedger(open);
  budgets(open);
}

onEveryStore(responses);
