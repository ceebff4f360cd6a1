/**
 * Bytes into and out of files: a body written to its announced length and flushed, a range read as a stream that ends in
 * a coded error when the file gives fewer bytes than it had, and that closes its file however reading ends.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { NightstillError } from '../config/errors.js';
import { bodyChunks } from './body.js';
import type { ByteRange, ObjectBody } from './object-store.js';
import type { FileIdentity } from './file-versions.js';

const chunkBytes = 256 * 1024;

/** @throws object-body-invalid, operation-aborted, and raw errors of the file system */
export async function writeFlushed(path: string, body: ObjectBody, signal?: AbortSignal): Promise<FileIdentity> {
  const handle = await open(path, 'wx');
  try {
    for await (const chunk of bodyChunks(body, signal)) await handle.writeFile(chunk);
    await handle.sync();
    const { ino: inode, mtimeNs: modifiedNs } = await handle.stat({ bigint: true });
    return { inode, modifiedNs };
  } finally {
    await handle.close();
  }
}

/** Reads `start` up to `end`. `translate` makes a coded error of what the file system throws. */
export function readRange(
  handle: FileHandle,
  { start, end }: ByteRange,
  translate: (error: unknown) => NightstillError,
): Readable {
  let position = start;
  return new Readable({
    highWaterMark: chunkBytes,
    read() {
      const wanted = Math.min(chunkBytes, end - position);
      if (wanted === 0) {
        this.push(null);
        return;
      }
      handle.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, position).then(
        ({ bytesRead, buffer }) => {
          if (bytesRead === 0) {
            this.destroy(translate(new Error(`the file ended at byte ${position}, expected ${end}`)));
            return;
          }
          position += bytesRead;
          this.push(buffer.subarray(0, bytesRead));
        },
        (error: unknown) => this.destroy(translate(error)),
      );
    },
    destroy(error, callback) {
      const closed = (): void => callback(error);
      handle.close().then(closed, closed);
    },
  });
}
