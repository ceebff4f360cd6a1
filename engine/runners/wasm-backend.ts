/** The part of tfjs's wasm backend that kernels of our own use: results in its memory, and views of it. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

export type WasmMemory = Pick<BackendWasm, 'makeOutput' | 'typedArrayFromHeap'>;

export const isWasmMemory = (backend: object): backend is WasmMemory =>
  'makeOutput' in backend && 'typedArrayFromHeap' in backend;
