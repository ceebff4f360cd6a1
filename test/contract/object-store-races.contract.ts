/** What any object store must do for many callers at once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { compiledPath } from '../support/processes.js';
import { bytesOf } from '../support/stage.js';
import type { StoreUnderTest } from '../support/store-under-test.js';

const rounds = 20;
const racers = 50;

export function objectStoreRaces(underTest: () => StoreUnderTest): void {
  let store: ObjectStore;
  let url: string;
  beforeAll(async () => {
    url = underTest().freshUrl();
    store = await openObjectStore(url, { forWriting: true });
  });
  afterAll(() => store.close());

  /** Runs all racers; those that lose must lose with this code. @returns the numbers of the winners */
  async function race(code: string, write: (racer: number) => Promise<unknown>): Promise<number[]> {
    const outcomes = await Promise.allSettled(Array.from({ length: racers }, (_, racer) => write(racer)));
    const losses = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    expect(new Set(losses)).toEqual(new Set([code]));
    return outcomes.flatMap(({ status }, racer) => (status === 'fulfilled' ? [racer] : []));
  }

  it(`of ${racers} creators exactly one wins, in each of ${rounds} rounds`, async () => {
    for (let round = 0; round < rounds; round++) {
      const key = `create/${round}`;
      const winners = await race('object-exists', (racer) => store.putIfAbsent(key, Buffer.from(`racer ${racer}`)));
      expect(winners).toHaveLength(1);
      expect(String(await bytesOf(store, key))).toBe(`racer ${winners[0]}`);
    }
  });

  it(`of ${racers} movers exactly one wins, in each of ${rounds} rounds`, async () => {
    let { version } = await store.put('move', Buffer.from('start'));
    for (let round = 0; round < rounds; round++) {
      const winners = await race('object-changed', (racer) =>
        store.putIfMatch('move', Buffer.from(`round ${round} racer ${racer}`), version),
      );
      expect(winners).toHaveLength(1);
      expect(String(await bytesOf(store, 'move'))).toBe(`round ${round} racer ${winners[0]}`);
      version = (await store.describe('move'))?.version ?? '';
    }
  });

  it('a counter moved by several processes counts every acknowledged increment', async () => {
    const processes = 5;
    const times = 20;
    await store.put('counter', Buffer.from('0'));
    const codes = await Promise.all(
      Array.from({ length: processes }, async () => {
        const program = compiledPath('test/support/increment-counter.js');
        const child = spawn(process.execPath, [program, url, 'counter', String(times)], {
          env: { ...process.env, ...underTest().environment },
          stdio: ['ignore', 'ignore', 'inherit'],
        });
        return (await once(child, 'exit'))[0];
      }),
    );
    expect(codes).toEqual(Array.from({ length: processes }, () => 0));
    expect(String(await bytesOf(store, 'counter'))).toBe(String(processes * times));
  });

  it('a reader sees a whole version while writers overwrite it', async () => {
    const version = (value: number): Uint8Array => Buffer.alloc(1000 + value * 20_011, value);
    await store.put('torn', version(0));
    let writing = true;
    const writer = async (first: number) => {
      for (let value = first; value < 30; value += 2) await store.put('torn', version(value));
    };
    let reads = 0;
    const reader = async () => {
      while (writing) {
        const bytes = await bytesOf(store, 'torn');
        expect(bytes.equals(version(bytes[0] ?? 0))).toBe(true);
        reads++;
      }
    };
    const writers = Promise.all([writer(1), writer(2)]).finally(() => (writing = false));
    await Promise.all([writers, reader(), reader(), reader()]);
    expect(reads).toBeGreaterThan(3);
  });

  it('creators, writers and removers of one key never meet anything but the codes of the port', async () => {
    const worker = async (write: () => Promise<unknown>) => {
      const found = new Set<string>();
      for (let turn = 0; turn < 25; turn++) {
        await write().catch((error: unknown) => {
          found.add(
            typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error),
          );
        });
      }
      return [...found];
    };
    const body = Buffer.from('body');
    const found = await Promise.all([
      worker(() => store.putIfAbsent('churn', body)),
      worker(() => store.put('churn', body)),
      worker(async () => store.putIfMatch('churn', body, (await store.describe('churn'))?.version ?? '')),
      worker(() => store.remove('churn')),
      worker(() => bytesOf(store, 'churn')),
    ]);
    const codes = new Set(found.flat());
    for (const expected of ['object-exists', 'object-changed', 'object-missing']) codes.delete(expected);
    expect([...codes]).toEqual([]);
  });
}
