/**
 * Stores that the activities of a worker share. To open one costs more than all that a lookup asks of it (a connection, a
 * handshake, the probe's verdict), so each stays open while it is used and for a while after. One that fails is opened anew.
 */
import { openObjectStore, type ObjectStore } from '../storage/index.js';

interface OpenStore {
  readonly opening: Promise<ObjectStore>;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

export class OpenStores {
  readonly #byUrl = new Map<string, OpenStore>();
  readonly #idleMs: number;

  constructor(idleMs = 30_000) {
    this.#idleMs = idleMs;
  }

  /** @throws what opening the store and `work` throw */
  async use<Result>(url: string, work: (store: ObjectStore) => Promise<Result>): Promise<Result> {
    const entry = this.#byUrl.get(url) ?? this.#open(url);
    clearTimeout(entry.idle);
    entry.users += 1;
    try {
      return await work(await entry.opening);
    } catch (error) {
      if (this.#byUrl.get(url) === entry) this.#byUrl.delete(url);
      throw error;
    } finally {
      entry.users -= 1;
      if (entry.users === 0) await this.#leave(url, entry);
    }
  }

  #open(url: string): OpenStore {
    const entry: OpenStore = { opening: openObjectStore(url, { forWriting: true }), users: 0, idle: undefined };
    this.#byUrl.set(url, entry);
    return entry;
  }

  /** The last user closes what has failed; anything else waits for another one. */
  async #leave(url: string, entry: OpenStore): Promise<void> {
    const close = async (): Promise<void> => {
      if (this.#byUrl.get(url) === entry) this.#byUrl.delete(url);
      await entry.opening.then(
        (store) => store.close(),
        () => undefined,
      );
    };
    if (this.#byUrl.get(url) !== entry) return close();
    entry.idle = setTimeout(() => void close().catch(() => undefined), this.#idleMs);
    entry.idle.unref();
  }
}
