/**
 * A store with hooks around its operations, for what must happen between two of them. Everything passes through to the real
 * store underneath; a hook that throws takes the place of the answer, so that `after` can lose the answer of an applied write.
 */
import type { Readable } from 'node:stream';
import type { ObjectStore } from '../../storage/index.js';

export type StoreOperation = Exclude<keyof ObjectStore, 'url' | 'close' | 'sweepUnfinished'>;

export interface StoreCall {
  readonly operation: StoreOperation;
  readonly key: string;
}

export interface Hooks {
  readonly before?: (call: StoreCall) => Promise<void> | void;
  readonly after?: (call: StoreCall) => Promise<void> | void;
  /** In place of the body of a `get`. */
  readonly body?: (call: StoreCall, body: Readable) => Readable;
}

export const isWrite = ({ operation }: StoreCall): boolean => operation.startsWith('put');

export function intercept(store: ObjectStore, { before, after, body = (_, bytes) => bytes }: Hooks): ObjectStore {
  const around = async <Result>(call: StoreCall, act: () => Promise<Result>): Promise<Result> => {
    await before?.(call);
    const result = await act();
    await after?.(call);
    return result;
  };
  return {
    url: store.url,
    get: (key, options) =>
      around({ operation: 'get', key }, async () => {
        const object = await store.get(key, options);
        const given = body({ operation: 'get', key }, object.body);
        // What is not read is not left open either: a file under it would be.
        given.once('close', () => object.body.destroy());
        return { ...object, body: given };
      }),
    describe: (key, options) => around({ operation: 'describe', key }, () => store.describe(key, options)),
    put: (key, bytes, options) => around({ operation: 'put', key }, () => store.put(key, bytes, options)),
    putIfAbsent: (key, bytes, options) =>
      around({ operation: 'putIfAbsent', key }, () => store.putIfAbsent(key, bytes, options)),
    putIfMatch: (key, bytes, version, options) =>
      around({ operation: 'putIfMatch', key }, () => store.putIfMatch(key, bytes, version, options)),
    async *list(prefix, options) {
      await before?.({ operation: 'list', key: prefix });
      yield* store.list(prefix, options);
      await after?.({ operation: 'list', key: prefix });
    },
    remove: (key, options) => around({ operation: 'remove', key }, () => store.remove(key, options)),
    sweepUnfinished: async (olderThanMs, isOurs) => (await store.sweepUnfinished?.(olderThanMs, isOurs)) ?? 0,
    close: () => store.close(),
  };
}
