/**
 * The memory of tfjs's wasm backend, 4 GiB and no more. The backend looks at no allocation: after one that failed, a tensor lay at address
 * 0, over the module's own data, or a kernel printed a line and returned memory that it had not written. Here both are errors.
 */
import { NightstillError } from '../../config/errors.js';
import type { WasmMemory } from './wasm-backend.js';

/** All that a 32-bit address reaches, but for one page. */
export const wasmBytes = 2 ** 32 - 2 ** 16;

export const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`;

/** What the module printed last, while kernels run. */
let printed: string | undefined;
let areRunning = false;

/**
 * Keeps what the module prints, which is never anything but the reason of a failure, off the console. The module takes the two functions
 * when it is loaded, by `bind`; if somebody else has loaded it, they are gone. Whoever else binds them meanwhile prints as before.
 */
export async function catchingOutput(work: () => Promise<void>): Promise<void> {
  // oxlint-disable-next-line no-console -- nothing is printed
  const functions = [console.log, console.warn];
  for (const print of functions) {
    const keep = (...words: unknown[]): void => {
      if (areRunning) printed = words.join(' ');
      else print.apply(console, words);
    };
    Object.defineProperty(print, 'bind', { configurable: true, value: () => keep });
  }
  try {
    await work();
  } finally {
    for (const print of functions) Reflect.deleteProperty(print, 'bind');
  }
}

/** Runs kernels, synchronously: what is printed meanwhile is the module's. */
export function whileListening<Result>(kernels: () => Result): Result {
  [areRunning, printed] = [true, undefined];
  try {
    return kernels();
  } finally {
    areRunning = false;
  }
}

/**
 * Called after kernels: if the module printed something, one of them returned memory that it had not written.
 * @throws out-of-memory where XNNPACK found no room (its status 6), engine-failed for anything else
 */
export function checkOutput(): void {
  if (printed === undefined) return;
  const message = printed;
  printed = undefined;
  if (message.includes('status 6'))
    throw new NightstillError('out-of-memory', `expected room for XNNPACK, found none: ${message}`);
  throw new NightstillError('engine-failed', `expected a result, found: ${message}`);
}

/**
 * Behind this no large tensor ends: what the module allocates itself and does not look at is small, and finds room there.
 */
const reserve = 2 ** 32 - 2 ** 25;
const large = 2 ** 20;

/** What was allocated since a call began, and, negative, what was freed: addresses in that order. */
let journal: number[] | undefined;
let free: (address: number) => void = () => undefined;

/** From now on an allocation that fails throws out-of-memory. */
export function checkAllocations({ wasm }: WasmMemory): void {
  // The first call of each puts the module's own function in the place of the property, and so would undo what follows.
  wasm._free(wasm._malloc(1));
  const allocate = wasm._malloc.bind(wasm);
  free = wasm._free.bind(wasm);
  wasm._malloc = (bytes) => {
    const address = bytes < large ? allocate(bytes) >>> 0 : below(bytes, allocate);
    if (address === 0 && bytes > 0)
      throw new NightstillError('out-of-memory', `expected room for ${mebibytes(bytes)} more, found none`);
    journal?.push(address);
    return address;
  };
  wasm._free = (address) => {
    journal?.push(-address);
    free(address);
  };
}

/** An address of as many bytes before the reserve, or 0. */
function below(bytes: number, allocate: (bytes: number) => number): number {
  // What is more than an address can say would be cut to its lower 32 bits.
  if (bytes > reserve) return 0;
  const passed: number[] = [];
  for (;;) {
    const address = allocate(bytes) >>> 0;
    if (address !== 0 && address + bytes > reserve) {
      // It is held until another place is found: the same would be given again.
      passed.push(address);
      continue;
    }
    passed.forEach(free);
    return address;
  }
}

/**
 * Does work that hands out no tensor unless it succeeds. A kernel that fails has made some of its results, and loses them: here they are
 * freed.
 */
export function freeingOnFailure<Result>(work: () => Result): Result {
  const own: number[] = [];
  journal = own;
  try {
    return work();
  } catch (error) {
    takenIn(own).forEach(free);
    throw error;
  } finally {
    journal = undefined;
  }
}

function takenIn(entries: readonly number[]): ReadonlySet<number> {
  const taken = new Set<number>();
  for (const address of entries) {
    if (address < 0) taken.delete(-address);
    else taken.add(address);
  }
  return taken;
}
