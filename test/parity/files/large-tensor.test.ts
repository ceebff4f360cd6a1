import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '../../../engine/files/safetensors.js';
import { temporaryDirectory } from '../../support/temporary.js';

describe('a tensor larger than 2 GiB', () => {
  it('is read whole, across the limit of one read and that of a 32-bit length', async () => {
    const path = join(temporaryDirectory(), 'x.safetensors');
    const bytes = 2 ** 31 + 1024;
    const json = JSON.stringify({ big: { dtype: 'U8', shape: [bytes], data_offsets: [0, bytes] } });
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(json.length));
    await writeFile(path, Buffer.concat([prefix, Buffer.from(json)]));
    const start = 8 + json.length;
    await truncate(path, start + bytes);
    const marks = [0, 2 ** 30 - 1, 2 ** 30, 2 ** 31 - 1, 2 ** 31, bytes - 1];
    const file = await open(path, 'r+');
    for (const [index, mark] of marks.entries()) await file.write(Uint8Array.of(index + 1), 0, 1, start + mark);
    await file.close();
    const source = await openSafetensors(path);
    const whole = await source.read('big');
    await source.close();
    expect(whole.byteLength).toBe(bytes);
    expect(marks.map((mark) => whole[mark])).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
