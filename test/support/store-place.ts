/** An open store that several processes work in, with room for others beside it. */
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { directoryUnderTest, s3UnderTest } from './store-under-test.js';

const places = { 'a directory': directoryUnderTest, 'an S3 server': s3UnderTest };
type PlaceKind = keyof typeof places;

export const placeKinds: readonly PlaceKind[] = ['a directory', 'an S3 server'];

export interface StorePlace {
  readonly url: string;
  readonly store: ObjectStore;
  /** What a child process needs in its environment to open the URL. */
  readonly environment: Readonly<Record<string, string>>;
  /** Another store beside it, empty. */
  openFresh(): Promise<ObjectStore>;
  /** Closes the store and removes everything. */
  close(): Promise<void>;
}

export async function openPlace(kind: PlaceKind): Promise<StorePlace> {
  const place = await places[kind]();
  const url = place.freshUrl();
  const store = await openObjectStore(url, { forWriting: true });
  return {
    url,
    store,
    environment: place.environment,
    // The store beside has been probed: these need no probe.
    openFresh: () => openObjectStore(place.freshUrl()),
    async close() {
      await store.close();
      await place.stop();
    },
  };
}
