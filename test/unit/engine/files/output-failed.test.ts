/** What the operating system refuses to whoever writes: its own answers, from places that cannot hold a file. */
import { readdirSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../../../engine/files/atomic-file.js';
import { openModelDirectory, writeModelDirectory } from '../../../../engine/files/model-directory.js';
import { writeSafetensors } from '../../../../engine/files/safetensors-writer.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const failed = (path: string, found: string) => ({
  code: 'output-failed',
  retryable: true,
  message: expect.stringMatching(new RegExp(`^Expected to write ${path}, found ${found}`)) as string,
});

describe('a place that cannot hold a file', () => {
  it('is named with the answer of the file system: a directory that is missing, one that is a file', async () => {
    const parent = temporaryDirectory();
    const missing = join(parent, 'none', 'model.safetensors');
    await expect(writeSafetensors(missing, [])).rejects.toMatchObject(failed(missing, 'ENOENT'));
    writeFileSync(join(parent, 'file'), '');
    const within = join(parent, 'file', 'model.safetensors');
    await expect(writeSafetensors(within, [])).rejects.toMatchObject(failed(within, 'ENOTDIR'));
  });

  it('is named when the disk is full, and nothing stays behind', async () => {
    const parent = temporaryDirectory();
    const path = join(parent, 'x');
    const onFullDisk = async (): Promise<void> => {
      const full = await open('/dev/full', 'w');
      try {
        await full.writeFile('x');
      } finally {
        await full.close();
      }
    };
    await expect(writeAtomically(path, onFullDisk)).rejects.toMatchObject(failed(path, 'ENOSPC'));
    expect(readdirSync(parent)).toEqual([]);
  });

  it('is named for a model whose parent directory is missing', async () => {
    const { config, tensors, close } = await openModelDirectory(join(modelFixtures, 'qwen3-qknorm'));
    const path = join(temporaryDirectory(), 'none', 'model');
    await expect(writeModelDirectory(path, { config, values: tensors.readFloat32 })).rejects.toMatchObject(
      failed(path, 'ENOENT'),
    );
    await close();
  });

  it('is not blamed for an error of whoever gives the bytes', async () => {
    const give = (): Promise<void> => Promise.reject(new TypeError('no bytes'));
    await expect(writeAtomically(join(temporaryDirectory(), 'x'), give)).rejects.toThrow(TypeError);
  });
});
