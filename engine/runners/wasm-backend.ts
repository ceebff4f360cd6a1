/** The part of tfjs's wasm backend that the runner uses: results in its memory, views of it, and its module. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

export type WasmMemory = Pick<BackendWasm, 'makeOutput' | 'typedArrayFromHeap' | 'wasm'>;

export const isWasmMemory = (backend: object): backend is WasmMemory =>
  'makeOutput' in backend && 'typedArrayFromHeap' in backend && 'wasm' in backend;
