/** Token ids side by side, each in as many bits as the vocabulary needs: 18 for the 151,936 of Qwen. Lowest bits first. */

/** More would not fit into the arithmetic below; no vocabulary comes near. */
export const maximumIdBits = 24;

/** @param vocabularySize ids are below it */
export const idBitsOf = (vocabularySize: number): number => Math.max(1, Math.ceil(Math.log2(vocabularySize)));

export const packedBytes = (count: number, bits: number): number => Math.ceil((count * bits) / 8);

export function packIds(ids: Int32Array, bits: number): Uint8Array {
  const bytes = new Uint8Array(packedBytes(ids.length, bits));
  let [held, heldBits, at] = [0, 0, 0];
  for (const id of ids) {
    held |= id << heldBits;
    for (heldBits += bits; heldBits >= 8; heldBits -= 8) {
      bytes[at++] = held & 0xff;
      held >>>= 8;
    }
  }
  if (heldBits > 0) bytes[at] = held;
  return bytes;
}

export function unpackIds(bytes: Uint8Array, count: number, bits: number): Int32Array {
  const mask = 2 ** bits - 1;
  let [held, heldBits, at] = [0, 0, 0];
  return Int32Array.from({ length: count }, () => {
    for (; heldBits < bits; heldBits += 8) held |= (bytes[at++] ?? 0) << heldBits;
    const id = held & mask;
    held >>>= bits;
    heldBits -= bits;
    return id;
  });
}
