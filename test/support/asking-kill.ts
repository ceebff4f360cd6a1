/** Named points of the ledger at which a process that asks a teacher kills itself. */
import type { ObjectStore } from '../../storage/index.js';
import { intercept, type StoreCall } from './intercepted-store.js';

/** Right before or after the n-th operation on a key that contains this. */
export interface AskingKill {
  readonly operation: 'put' | 'remove';
  readonly key: string;
  readonly when: 'before' | 'after';
  readonly nth: number;
}

export function killedAt(store: ObjectStore, point: AskingKill | undefined): ObjectStore {
  if (!point) return store;
  let seen = 0;
  const pass = ({ operation, key }: StoreCall): void => {
    const isMeant = operation.startsWith(point.operation) && key.includes(point.key);
    if (isMeant && (seen += 1) === point.nth) process.kill(process.pid, 'SIGKILL');
  };
  return intercept(store, { [point.when]: pass });
}
