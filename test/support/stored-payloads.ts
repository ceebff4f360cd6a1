/** External storage of a user's data converter, in memory: payloads by number, the smallest ones too. */
import { ExternalStorage, StorageDriverClaim, type Payload, type StorageDriver } from '@temporalio/common';

export class StoredPayloads {
  readonly #kept: Payload[] = [];

  get count(): number {
    return this.#kept.length;
  }

  storage(): ExternalStorage {
    return new ExternalStorage({ drivers: [this.#driver()], payloadSizeThreshold: 1 });
  }

  #driver(): StorageDriver {
    return {
      name: 'memory',
      type: 'memory',
      store: (_, payloads: Payload[]) => Promise.resolve(payloads.map((payload) => this.#keep(payload))),
      retrieve: (_, claims) =>
        Promise.resolve(claims.map(({ claimData }) => this.#kept[Number(claimData['index'])] ?? {})),
    };
  }

  #keep(payload: Payload): StorageDriverClaim {
    return new StorageDriverClaim({ index: String(this.#kept.push(payload) - 1) });
  }
}
