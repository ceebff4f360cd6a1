/** A teacher that counts what it is asked, and an empty store beside it, for the tests of a file: made anew before each, or once before all. */
import { CountingTeacher } from './counting-teacher.js';
import { openPlace, type StorePlace } from './store-place.js';

export interface TeacherAndStore {
  readonly server: CountingTeacher;
  readonly place: StorePlace;
}

/** To be called at the top of a file: what it returns is there while a test runs. */
export function teacherAndStore(made: 'for each' | 'once' = 'for each'): TeacherAndStore {
  let [server, place]: [CountingTeacher?, StorePlace?] = [];
  const [before, after] = made === 'once' ? [beforeAll, afterAll] : [beforeEach, afterEach];
  before(async () => {
    [server, place] = [await CountingTeacher.start(), await openPlace('a directory')];
  });
  after(async () => {
    await server?.stop();
    await place?.close();
  });
  return {
    get server() {
      return server!;
    },
    get place() {
      return place!;
    },
  };
}
