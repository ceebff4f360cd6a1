/** tfjs backends that can replay programs: loaded when asked for, with what they lack added. */
import { registerOn } from '../kernels/composite.js';
import { composites } from '../kernels/composites.js';
import { tf } from '../tf.js';
import { correctEmpty } from './empty-tensors.js';
import { catchingOutput } from './wasm-memory.js';
import { repairWasm } from './wasm-repairs.js';

export type KernelsBackend = 'wasm' | 'cpu';

/** Makes the backend ready and the current one of tfjs. */
export async function prepareBackend(backend: KernelsBackend): Promise<void> {
  if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
  const select = async (): Promise<void> => {
    await tf.setBackend(backend);
    await tf.ready();
  };
  await withoutNewListeners(backend === 'wasm' ? async () => catchingOutput(select) : select);
  if (backend === 'wasm') repairWasm();
  correctEmpty(backend);
  for (const { name, eager } of composites) registerOn(backend, name, eager);
}

/** Does the work on a backend that is ready, and hands tfjs back the one it had. */
export function whileOnBackend<Result>(backend: KernelsBackend, work: () => Result): Result {
  const before = tf.getBackend();
  if (before === backend) return work();
  void tf.setBackend(backend);
  try {
    return work();
  } finally {
    void tf.setBackend(before);
  }
}

/**
 * Without the listeners that tfjs's wasm module adds for the uncaught errors of the process: they throw an error again from a minified
 * line, behind which its own message and exit code are lost.
 */
async function withoutNewListeners(work: () => Promise<void>): Promise<void> {
  const events = ['uncaughtException', 'unhandledRejection'];
  const before = new Set(events.flatMap((event) => process.rawListeners(event)));
  await work();
  for (const event of events) {
    for (const listener of process.rawListeners(event)) {
      const rethrows = /throw (?:ex|reason)\b/.test(String(listener));
      if (!before.has(listener) && rethrows) process.removeListener(event, listener as () => void);
    }
  }
}
