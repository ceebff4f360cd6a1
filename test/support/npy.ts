/** Reads the .npy files of the fixtures: little-endian float32 and int32 in C order, version 1.0. Anything else is refused. */
import { readFileSync } from 'node:fs';

export interface NumpyArray<Values extends Float32Array | Int32Array> {
  readonly shape: readonly number[];
  readonly values: Values;
}

/** Where the models of the reference implementation lie, with their results. */
export const modelFixtures = `${import.meta.dirname}/../fixtures/models`;

/** Parses a float32 array. */
export const readFloat32Npy = (path: string): NumpyArray<Float32Array> => {
  const { shape, data } = readNpy(path, '<f4');
  return { shape, values: new Float32Array(data) };
};

/** Parses an int32 array. */
export const readInt32Npy = (path: string): NumpyArray<Int32Array> => {
  const { shape, data } = readNpy(path, '<i4');
  return { shape, values: new Int32Array(data) };
};

function readNpy(path: string, dtype: string): { shape: number[]; data: ArrayBuffer } {
  const bytes = readFileSync(path);
  if (bytes.toString('latin1', 0, 8) !== '\x93NUMPY\x01\x00')
    throw new Error(`${path} is not an .npy file, version 1.0.`);
  const dataStart = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, dataStart);
  const found = /^\{'descr': '(.+?)', 'fortran_order': False, 'shape': \((.*?)\), \}\s*$/.exec(header);
  if (found?.[1] !== dtype) throw new Error(`${path} holds ${header.trim()}, not ${dtype} in C order.`);
  const shape = (found[2] ?? '')
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const data = new Uint8Array(bytes.subarray(dataStart)).buffer;
  const expected = shape.reduce((product, size) => product * size, 4);
  if (data.byteLength !== expected) throw new Error(`${path} holds ${data.byteLength} bytes, not ${expected}.`);
  return { shape, data };
}
