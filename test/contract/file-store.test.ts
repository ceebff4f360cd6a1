/** What only the store in a directory promises: no locks, no writer that comes back from sleep, no bytes kept for nothing. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, readdir, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { append, currentVersion, stage } from '../../storage/file-versions.js';
import { openObjectStore, type ObjectStore } from '../../storage/index.js';
import { compiledPath, stateOf, until } from '../support/processes.js';
import { bytesOf, keysOf } from '../support/stage.js';

let directory: string;
let store: ObjectStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightstill-file-store-'));
  store = await openObjectStore(pathToFileURL(directory).href, { forWriting: true });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const text = (content: string): Uint8Array => Buffer.from(content);
const filesIn = async (path: string): Promise<string[]> => {
  const entries = await readdir(join(directory, path), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

function start(program: string, parameters: readonly string[]) {
  const child: ChildProcess = spawn(process.execPath, [compiledPath(`test/support/${program}.js`), ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { child, lines, exited: once(child, 'exit') };
}

describe('a writer that is stopped between its decision and its link', () => {
  /** Stops a writer that wants to replace `version`, lets others act, and wakes it up. @returns how its write ended */
  async function outcomeOf(version: string, meanwhile: () => Promise<void>): Promise<string | undefined> {
    const { child, lines, exited } = start('paused-writer', [directory, 'a/head', version]);
    await until('the writer to pause', () => lines.includes('paused'));
    child.kill('SIGSTOP');
    await until('the writer to be stopped', () => stateOf(child.pid ?? 0) === 'T');
    await meanwhile();
    child.stdin?.write('go\n');
    child.kill('SIGCONT');
    await exited;
    return lines.at(-1);
  }

  it('writes when nobody else did', async () => {
    const { version } = await store.put('a/head', text('first'));
    expect(await outcomeOf(version, () => Promise.resolve())).toBe('written');
    expect(String(await bytesOf(store, 'a/head'))).toBe('stale');
  });

  it.each([1, 2, 40])(
    'is refused when it was overtaken by %i writes, although their versions are pruned',
    async (writes) => {
      const { version } = await store.put('a/head', text('first'));
      const outcome = await outcomeOf(version, async () => {
        for (let write = 1; write <= writes; write++) await store.put('a/head', text(`newer ${write}`));
      });
      expect(outcome).toBe('object-changed');
      expect(String(await bytesOf(store, 'a/head'))).toBe(`newer ${writes}`);
      expect(await filesIn('a/head@')).toHaveLength(1);
    },
  );

  it('is refused when the object is gone, and does not bring it back', async () => {
    const { version } = await store.put('a/head', text('first'));
    expect(await outcomeOf(version, () => store.remove('a/head'))).toBe('object-changed');
    expect(await store.describe('a/head')).toBeUndefined();
  });

  it('is refused when the object was removed and created again', async () => {
    const { version } = await store.put('a/head', text('first'));
    const outcome = await outcomeOf(version, async () => {
      await store.remove('a/head');
      await store.putIfAbsent('a/head', text('reborn'));
    });
    expect(outcome).toBe('object-changed');
    expect(String(await bytesOf(store, 'a/head'))).toBe('reborn');
  });
});

describe('versions', () => {
  it('an overwritten version is freed at once', async () => {
    for (let write = 0; write < 20; write++) await store.put('a', Buffer.alloc(100_000, write));
    expect(await filesIn('a@')).toHaveLength(1);
    expect(await filesIn('@tmp')).toHaveLength(0);
  });

  it('a version is kept while the writer of its successor may still look for it', async () => {
    await store.put('a', text('one'));
    await store.put('a', text('two'));
    const [second = ''] = await filesIn('a@');
    // Just as if the writer of version 2 had linked it and not yet dropped the second name.
    await link(second, join(directory, '@tmp', 'held'));
    await writeFile(second.replace(/2$/, '1'), 'one');
    await store.put('a', text('three'));
    expect(await filesIn('a@')).toHaveLength(3);
    await unlink(join(directory, '@tmp', 'held'));
    await store.put('a', text('four'));
    expect(await filesIn('a@')).toHaveLength(1);
    expect(String(await bytesOf(store, 'a'))).toBe('four');
  });

  it('a writer that won keeps its version, although what it replaced was pruned before it looked', async () => {
    await store.put('a', text('one'));
    const current = await currentVersion(join(directory, 'a@'));
    if (!current) throw new Error('expected a version');
    const { ino: inode, mtimeNs: modifiedNs } = await stat(current.path, { bigint: true });
    const staged = await stage(directory);
    await writeFile(staged.path, 'two');
    await unlink(current.path);
    expect(await append(staged, current, { inode, modifiedNs })).toBe(true);
    expect(String(await bytesOf(store, 'a'))).toBe('two');
    await store.put('a', text('three'));
    expect(String(await bytesOf(store, 'a'))).toBe('three');
  });

  it('a reader keeps the version it has opened', async () => {
    await store.put('a', Buffer.alloc(3_000_000, 1));
    const { body } = await store.get('a');
    await store.put('a', Buffer.alloc(10, 2));
    await store.remove('a');
    expect(Buffer.concat(await body.toArray()).equals(Buffer.alloc(3_000_000, 1))).toBe(true);
  });

  it('SIGKILL leaves the last acknowledged version or the one after it, whole, and nothing that a listing shows', async () => {
    for (let kill = 0; kill < 10; kill++) {
      const { child, lines, exited } = start('overwriting-writer', [store.url, 'a']);
      await until('a few writes', () => lines.length >= 2 + kill);
      child.kill('SIGKILL');
      await exited;
      const bytes = await bytesOf(store, 'a');
      const acknowledged = Number(lines.at(-1));
      expect([acknowledged, acknowledged + 1]).toContain(bytes[0]);
      expect(bytes.equals(Buffer.alloc(300_000, bytes[0]))).toBe(true);
      expect(await keysOf(store)).toEqual(['a', 'probe/verdict.json']);
    }
    await store.sweepUnfinished?.(0);
    await store.put('a', text('last'));
    expect(await filesIn('')).toHaveLength(2);
  });
});

describe('the directory', () => {
  it('an error says where it happened, also one that no file system gave', async () => {
    await store.put('a', text('x'));
    const details = { store: store.url, key: 'a', operation: 'get' };
    const range = { start: 5, end: 6 };
    await expect(store.get('a', { range })).rejects.toMatchObject({ code: 'object-range-invalid', details });
    const signal = AbortSignal.abort();
    await expect(store.get('a', { signal })).rejects.toMatchObject({ code: 'operation-aborted', details });
  });

  it('a key can be no path prefix of another', async () => {
    await store.put('a/b', text('x'));
    await expect(store.put('a/b/c', text('x'))).rejects.toMatchObject({ code: 'object-key-invalid' });
    await expect(store.put('a', text('x'))).rejects.toMatchObject({ code: 'object-key-invalid' });
    await store.remove('a/b');
    await store.put('a/b/c', text('x'));
    expect(await keysOf(store, 'a')).toEqual(['a/b/c']);
  });

  it('passes over what others put there', async () => {
    await store.put('a/b', text('x'));
    await writeFile(join(directory, 'a', 'README'), 'not an object');
    await writeFile(join(directory, 'a', 'b@', '.DS_Store'), 'not a version');
    expect(String(await bytesOf(store, 'a/b'))).toBe('x');
    await mkdir(join(directory, 'a', 'with space@', 'x'), { recursive: true });
    await mkdir(join(directory, 'empty', 'prefix'), { recursive: true });
    await mkdir(join(directory, 'hollow@'));
    expect(await keysOf(store)).toEqual(['a/b', 'probe/verdict.json']);
    expect(await store.describe('hollow')).toBeUndefined();
  });

  it('frees what dead writers left when it is opened for writing a day later', async () => {
    await mkdir(join(directory, '@tmp', 'old', 'old'), { recursive: true });
    await mkdir(join(directory, '@tmp', 'young', 'young'), { recursive: true });
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    await utimes(join(directory, '@tmp', 'old'), yesterday, yesterday);
    await openObjectStore(store.url, { forWriting: true });
    expect(await readdir(join(directory, '@tmp'))).toEqual(['young']);
  });

  it('opened for reading it must be there, and nothing is written', async () => {
    const absent = pathToFileURL(join(directory, 'absent')).href;
    await expect(openObjectStore(absent)).rejects.toMatchObject({ code: 'store-missing', details: { store: absent } });
    await mkdir(join(directory, 'bare'));
    await openObjectStore(pathToFileURL(join(directory, 'bare')).href);
    expect(await readdir(join(directory, 'bare'))).toEqual([]);
  });

  it('a path through a file is no store', async () => {
    await writeFile(join(directory, 'file'), '');
    const url = pathToFileURL(join(directory, 'file', 'store')).href;
    await expect(openObjectStore(url)).rejects.toMatchObject({ code: 'store-missing' });
    await expect(openObjectStore(url, { forWriting: true })).rejects.toMatchObject({ code: 'store-missing' });
  });

  it('where the operating system forbids writing, access is denied', async () => {
    // Nobody may make directories there, not even root.
    const url = 'file:///sys/nightstill';
    await expect(openObjectStore(url, { forWriting: true })).rejects.toMatchObject({ code: 'store-access-denied' });
  });
});
