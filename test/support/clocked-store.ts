/**
 * A store whose clock stands still until a test moves it: for policies about age, without waiting. Everything else is the
 * real store underneath. Ages exist in this process only.
 */
import type { ObjectDescription, ObjectStore } from '../../storage/index.js';

export interface Clock {
  nowMs: number;
}

export function withClock(store: ObjectStore, clock: Clock): ObjectStore {
  const writtenAt = new Map<string, number>();
  const written = async (writing: Promise<ObjectDescription>): Promise<ObjectDescription> => {
    const description = await writing;
    writtenAt.set(description.key, clock.nowMs);
    return aged(description);
  };
  const aged = <Described extends ObjectDescription>(description: Described): Described => ({
    ...description,
    modifiedAtMs: writtenAt.get(description.key) ?? 0,
  });
  return {
    url: store.url,
    get: async (key, options) => aged(await store.get(key, options)),
    describe: async (key, options) => {
      const description = await store.describe(key, options);
      return description && aged(description);
    },
    put: (key, body, options) => written(store.put(key, body, options)),
    putIfAbsent: (key, body, options) => written(store.putIfAbsent(key, body, options)),
    putIfMatch: (key, body, version, options) => written(store.putIfMatch(key, body, version, options)),
    async *list(prefix, options) {
      for await (const description of store.list(prefix, options)) yield aged(description);
    },
    remove: (key, options) => store.remove(key, options),
    sweepUnfinished: async (olderThanMs, isOurs) => (await store.sweepUnfinished?.(olderThanMs, isOurs)) ?? 0,
    close: () => store.close(),
  };
}
