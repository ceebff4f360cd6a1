/**
 * Which build of TensorFlow a package loads: two of one release may round differently. A build is named by the machine code of its
 * libraries, so it has one name on every machine, and with or without the symbols that set-up strips. What cannot be read is named by
 * its host, so that it equals nothing elsewhere.
 */
import { createHash, randomUUID, type Hash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/**
 * @param packageDirectory of `@tensorflow/tfjs-node-gpu`, as set-up leaves it
 * @param cacheDirectory where digests are kept: hundreds of megabytes are read once, and again when a library has another size or time
 */
export function libraryBuild(packageDirectory: string, cacheDirectory: string): string {
  try {
    const directory = join(packageDirectory, 'deps', 'lib');
    const files = readdirSync(directory).filter((name) => /^libtensorflow.*\.so/.test(name));
    if (files.length === 0) throw new Error(`no library in ${directory}`);
    return nameOf(files.sort().map((file) => `${file} ${keptDigest(join(directory, file), cacheDirectory)}`));
  } catch {
    return `unknown, of ${hostname()}`;
  }
}

const nameOf = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);

/** By library, size and time: a process reads a library once, though its cache may not be writable. */
const knownDigests = new Map<string, string>();

function keptDigest(library: string, cacheDirectory: string): string {
  const { size, mtimeMs } = statSync(library);
  const name = nameOf([realpathSync(library), size, mtimeMs]);
  const digest = knownDigests.get(name) ?? storedDigest(library, name, join(cacheDirectory, 'libraries'));
  knownDigests.set(name, digest);
  return digest;
}

function storedDigest(library: string, name: string, directory: string): string {
  const stored = digestIn(join(directory, name));
  if (stored !== undefined) return stored;
  const digest = codeDigest(library);
  keep(directory, name, digest);
  return digest;
}

/** A file that lost its bytes, as when a machine loses power, holds none. */
function digestIn(path: string): string | undefined {
  try {
    return /^[0-9a-f]{64}$/.exec(readFileSync(path, 'utf8'))?.[0];
  } catch {
    return undefined;
  }
}

function keep(directory: string, name: string, digest: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    const staging = join(directory, `staging-${randomUUID()}`);
    try {
      writeFileSync(staging, digest);
      renameSync(staging, join(directory, name));
    } finally {
      rmSync(staging, { force: true });
    }
  } catch {
    // A cache that cannot be written is no cache: the next process reads the library again.
  }
}

/** Of the executable segments of an ELF file of 64 bits. */
function codeDigest(library: string): string {
  const file = openSync(library, 'r');
  try {
    const hash = createHash('sha256');
    const segments = programHeaders(file).filter(({ type, flags }) => type === loaded && (flags & executable) !== 0);
    if (segments.length === 0) throw new Error(`no code in ${library}`);
    for (const { offset, size } of segments) update(hash, file, offset, size);
    return hash.digest('hex');
  } finally {
    closeSync(file);
  }
}

const [loaded, executable] = [1, 1]; // PT_LOAD, PF_X

interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  /** In the file. */
  readonly offset: number;
  readonly size: number;
}

/** Places are those of Elf64_Ehdr and Elf64_Phdr (elf(5)); every machine that set-up knows is little-endian. */
function programHeaders(file: number): ProgramHeader[] {
  const header = bytesAt(file, 0, 64);
  if (header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw new Error('no ELF file of 64 bits');
  const [table, entrySize, count] = [
    Number(header.readBigUInt64LE(32)),
    header.readUInt16LE(54),
    header.readUInt16LE(56),
  ];
  return Array.from({ length: count }, (_, index) => {
    const entry = bytesAt(file, table + index * entrySize, 56);
    return {
      type: entry.readUInt32LE(0),
      flags: entry.readUInt32LE(4),
      offset: Number(entry.readBigUInt64LE(8)),
      size: Number(entry.readBigUInt64LE(32)),
    };
  });
}

function bytesAt(file: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  if (readSync(file, bytes, 0, size, offset) !== size) throw new Error(`no ${size} bytes at ${offset}`);
  return bytes;
}

function update(hash: Hash, file: number, offset: number, size: number): void {
  const piece = Buffer.alloc(Math.min(size, 4 * 1024 * 1024));
  for (let done = 0; done < size;) {
    const read = readSync(file, piece, 0, Math.min(piece.length, size - done), offset + done);
    if (read === 0) throw new Error('the file ends within its code');
    hash.update(piece.subarray(0, read));
    done += read;
  }
}
