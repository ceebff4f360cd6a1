/** The hashing thread keeps a process alive while somebody waits for it, and no longer. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { compiledPath } from '../../support/processes.js';

it('memory that cannot change threads is an error, and the process that saw it ends', async () => {
  const program = `
    import { hashOwned, ownedBytes } from ${JSON.stringify(pathToFileURL(compiledPath('storage/hashing.js')).href)};
    const bytes = new Uint8Array(new SharedArrayBuffer(1_000_000));
    await hashOwned(ownedBytes(1_000_000));
    await hashOwned(bytes).catch((error) => console.log('refused'));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 20_000,
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(String(Buffer.concat(chunks))).toBe('refused\n');
});
