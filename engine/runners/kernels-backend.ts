/** tfjs backends that can replay programs: loaded when asked for, with what they lack added. */
import { registerOn } from '../kernels/composite.js';
import { composites } from '../kernels/composites.js';
import { tf } from '../tf.js';
import { repairWasm } from './wasm-repairs.js';

export type KernelsBackend = 'wasm' | 'cpu';

/** Makes the backend ready and the current one of tfjs. */
export async function prepareBackend(backend: KernelsBackend): Promise<void> {
  if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend(backend);
  await tf.ready();
  if (backend === 'wasm') repairWasm();
  for (const { name, eager } of composites) registerOn(backend, name, eager);
}
