/** Files as a row of blobs: cut after every 16 MiB of a file, so that equal files give equal parts however their bytes arrive. */
const partBytes = 16 * 1024 * 1024;

/** @param chunks of a file, from its beginning or from the end of a part on */
export async function* cutIntoParts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks)
    for (let rest = chunk; rest.length > 0;) {
      const taken = rest.subarray(0, partBytes - bytes);
      rest = rest.subarray(taken.length);
      held.push(taken);
      bytes += taken.length;
      if (bytes < partBytes) continue;
      yield Buffer.concat(held);
      [held, bytes] = [[], 0];
    }
  if (bytes > 0) yield Buffer.concat(held);
}

export const bytesOf = (parts: readonly { readonly bytes: number }[]): number =>
  parts.reduce((sum, { bytes }) => sum + bytes, 0);
