/** Libraries as linkers write them: an ELF header, program headers, code, and what comes behind it. */
import { mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { libraryBuild } from '../../../../engine/runners/library-build.js';
import { temporaryDirectory } from '../../../support/temporary.js';

function elf(code: string, symbols = ''): Buffer {
  const [headers, data] = [Buffer.alloc(64 + 2 * 56), Buffer.from('constants')];
  headers.write('\x7fELF\x02\x01', 'latin1');
  headers.writeBigUInt64LE(64n, 32);
  headers.writeUInt16LE(56, 54);
  headers.writeUInt16LE(2, 56);
  const segments = [
    { flags: 4, offset: headers.length, size: data.length },
    { flags: 5, offset: headers.length + data.length, size: code.length },
  ];
  for (const [index, { flags, offset, size }] of segments.entries()) {
    const at = 64 + index * 56;
    headers.writeUInt32LE(1, at);
    headers.writeUInt32LE(flags, at + 4);
    headers.writeBigUInt64LE(BigInt(offset), at + 8);
    headers.writeBigUInt64LE(BigInt(size), at + 32);
  }
  return Buffer.concat([headers, data, Buffer.from(code), Buffer.from(symbols)]);
}

/** `libraryBuild` of a process that has read no library yet. */
async function inAnotherProcess(packageDirectory: string, cacheDirectory: string): Promise<string> {
  let build = '';
  await jest.isolateModulesAsync(async () => {
    const modules = await import('../../../../engine/runners/library-build.js');
    build = modules.libraryBuild(packageDirectory, cacheDirectory);
  });
  return build;
}

/** A package that holds these libraries. */
function packageOf(libraries: Readonly<Record<string, Buffer>>): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'deps', 'lib'), { recursive: true });
  for (const [name, bytes] of Object.entries(libraries)) writeFileSync(join(directory, 'deps', 'lib', name), bytes);
  return directory;
}

const both = (code: string, symbols?: string) => ({
  'libtensorflow_cc.so.2': elf(code, symbols),
  'libtensorflow_framework.so.2': elf('shared'),
});
const built = (code: string, symbols?: string): string =>
  libraryBuild(packageOf(both(code, symbols)), temporaryDirectory());

it('a build is known by its machine code: the same everywhere, and with or without symbols', () => {
  expect(built('add')).toMatch(/^[0-9a-f]{16}$/);
  expect(built('add', 'symbols')).toBe(built('add'));
});

it('other code in either library is another build, though the release may be one', () => {
  expect(built('fma')).not.toBe(built('add'));
  const other = { ...both('add'), 'libtensorflow_framework.so.2': elf('parted') };
  expect(libraryBuild(packageOf(other), temporaryDirectory())).not.toBe(built('add'));
});

/** A package that was read, into a cache; then its code becomes another one, and its size and time stay. */
function readPackage(cache: string) {
  const directory = packageOf(both('add'));
  const path = join(directory, 'deps', 'lib', 'libtensorflow_cc.so.2');
  const time = new Date('2026-01-01');
  utimesSync(path, time, time);
  expect(libraryBuild(directory, cache)).toBe(built('add'));
  writeFileSync(path, elf('sub'));
  utimesSync(path, time, time);
  return { directory, touch: () => utimesSync(path, time, new Date('2026-01-02')) };
}

it('a library is read once for all processes, by whatever path, and again when its size or time is another one', async () => {
  const cache = temporaryDirectory();
  const { directory, touch } = readPackage(cache);
  expect(await inAnotherProcess(directory, cache)).toBe(built('add'));
  const link = join(temporaryDirectory(), 'link');
  symlinkSync(directory, link);
  expect(await inAnotherProcess(link, cache)).toBe(built('add'));
  touch();
  expect(await inAnotherProcess(directory, cache)).toBe(built('sub'));
});

it('where the cache cannot be written, a process still reads a library once', async () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  const { directory } = readPackage(file);
  expect(libraryBuild(directory, file)).toBe(built('add'));
  expect(await inAnotherProcess(directory, file)).toBe(built('sub'));
});

it.each<[string, (path: string) => void]>([
  ['an empty file', (path) => writeFileSync(path, '')],
  ['half a digest', (path) => writeFileSync(path, 'ab'.repeat(16))],
  ['a directory', (path) => mkdirSync(path)],
])('%s in the cache is no digest: the library is read again, and nothing else is left there', async (_, damage) => {
  const cache = temporaryDirectory();
  const { directory } = readPackage(cache);
  const kept = readdirSync(join(cache, 'libraries'));
  for (const name of kept) {
    rmSync(join(cache, 'libraries', name));
    damage(join(cache, 'libraries', name));
  }
  expect(await inAnotherProcess(directory, cache)).toBe(built('sub'));
  expect(readdirSync(join(cache, 'libraries'))).toEqual(kept);
});

it.each<[string, Record<string, Buffer>]>([
  ['there is none', {}],
  ['it is of another format', { 'libtensorflow_cc.so.2': Buffer.from('\xcf\xfa\xed\xfe', 'latin1') }],
  ['it ends within its code', { 'libtensorflow_cc.so.2': elf('add').subarray(0, -1) }],
])('a library that cannot be read equals none on another host: %s', (_, libraries) => {
  expect(libraryBuild(packageOf(libraries), temporaryDirectory())).toBe(`unknown, of ${hostname()}`);
});
