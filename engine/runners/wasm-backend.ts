/** The part of tfjs's wasm backend that the runner uses: results in its memory, views of it, and its module. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

export type WasmMemory = Pick<BackendWasm, 'makeOutput' | 'typedArrayFromHeap'> & { readonly wasm: WasmModule };

/** What emscripten gives every module: its types are those of a package that not everybody has who compiles this. */
interface WasmModule {
  /** @returns 0 where there is no room */
  _malloc: (bytes: number) => number;
  _free: (address: number) => void;
}

export const isWasmMemory = (backend: object): backend is WasmMemory =>
  'makeOutput' in backend && 'typedArrayFromHeap' in backend && 'wasm' in backend;
