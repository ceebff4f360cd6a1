/**
 * Signals at named points: a process sends itself SIGKILL or SIGSTOP right before, or right after, its n-th operation of a
 * kind on the store. What it had begun in parallel is cut off at a random place.
 */
import type { ObjectStore } from '../../storage/index.js';
import { intercept, isWrite, type StoreCall } from './intercepted-store.js';

export const pointKinds = [
  /** The write of the head that claims the stage. */
  'claim',
  /** The upload of a pack, or of any other blob. */
  'pack',
  /** The description of a blob, before and after the head moves. */
  'check',
  'manifest',
  /** The move of the head to a manifest. */
  'head',
  /** The manifest that is the seal. */
  'seal',
  /** The move of the head to the seal. */
  'sealed-head',
  'result',
] as const;
export type PointKind = (typeof pointKinds)[number];

export interface KillPoint {
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  readonly when: 'before' | 'after';
  readonly kind: PointKind;
  /** Counted from one, in the life of the process. */
  readonly nth: number;
}

export function signalAt(store: ObjectStore, { signal, when, kind, nth }: KillPoint): ObjectStore {
  const kinds = new WeakMap<StoreCall, PointKind | undefined>();
  const kindOf = classifier();
  let seen = 0;
  const pass = (call: StoreCall): void => {
    if (kinds.get(call) !== kind) return;
    seen += 1;
    if (seen === nth) process.kill(process.pid, signal);
  };
  return intercept(store, {
    before: (call) => {
      kinds.set(call, kindOf(call));
      if (when === 'before') pass(call);
    },
    after: (call) => {
      if (when === 'after') pass(call);
    },
  });
}

/** What an operation is for depends on those before it. */
function classifier(): (call: StoreCall) => PointKind | undefined {
  let isClaimed = false;
  let isSealing = false;
  return (call) => {
    const { operation, key } = call;
    if (key.startsWith('blobs/')) return isWrite(call) ? 'pack' : operation === 'describe' ? 'check' : undefined;
    if (!isWrite(call)) return undefined;
    if (key.startsWith('results/')) return 'result';
    if (key.startsWith('checkpoints/')) {
      isSealing = key.includes('/final-');
      return isSealing ? 'seal' : 'manifest';
    }
    if (!key.startsWith('heads/')) return undefined;
    if (isClaimed) return isSealing ? 'sealed-head' : 'head';
    isClaimed = true;
    return 'claim';
  };
}
