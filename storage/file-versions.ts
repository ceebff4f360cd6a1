/**
 * Versions of one object as files, without locks. An object is a directory, its key with `@` appended:
 *
 *     <root>/a/b/c@/<incarnation>/<number>        the highest number is the current version
 *
 * The incarnation is a random name given when the key is created. The kernel decides every race: of concurrent creators
 * rename(2) of a prepared directory lets one pass, of concurrent writers over version n link(2) to n + 1 lets one pass.
 *
 * A writer may sleep between deciding and linking (SIGSTOP, a suspended machine), while others go on and old versions are
 * pruned. Why it still cannot succeed:
 *  - The object was removed, perhaps created again: its incarnation is no more, so link(2) answers ENOENT.
 *  - n + 1 is current: EEXIST. So is any number that has not been pruned.
 *  - n + 1 has been pruned: link(2) succeeds, below the current number, where no reader looks. The writer then looks for
 *    version n, the very file it meant to replace. Versions are pruned in ascending order, so n was pruned before n + 1
 *    and is gone: the writer takes its link back and reports that it lost.
 * The same look never fails a writer that won: n is pruned only once n + 1 has a single name, and a writer drops the
 * second one (its staged file) after it looked. Only a sweep can drop it earlier, under a writer that slept through the
 * age of what is swept. So a link is taken back only from below a higher number, which pruning never removes without a
 * higher one: where n is gone and n + 1 is the highest, the writer won.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { doneUnless, unlessErrno } from './file-errors.js';

/** Not a legal key segment, so it meets no key. */
export const stagingName = '@tmp';

export interface FileVersion {
  readonly incarnation: string;
  readonly number: number;
  readonly path: string;
}

/** What makes a version file that file and no other; inode numbers alone are given again. */
export interface FileIdentity {
  readonly inode: bigint;
  readonly modifiedNs: bigint;
}

/** A version that is written and flushed, but not yet visible. */
export interface StagedVersion {
  /** Becomes the object's directory when the key is created. */
  readonly directory: string;
  readonly incarnation: string;
  readonly path: string;
}

/** The current version, or undefined when there is no such object. */
export async function currentVersion(objectDirectory: string): Promise<FileVersion | undefined> {
  for (;;) {
    const incarnations = await unlessErrno(readdir(objectDirectory), 'ENOENT');
    // File managers put files of their own into any directory.
    const incarnation = incarnations?.find((name) => /^[0-9a-f]{16}$/.test(name));
    if (incarnation === undefined) return undefined;
    const numbers = await unlessErrno(numbersIn(join(objectDirectory, incarnation)), 'ENOENT');
    if (numbers === undefined) continue; // Removed since the first look, and perhaps created again.
    const number = numbers.at(-1);
    if (number === undefined) return undefined;
    return { incarnation, number, path: join(objectDirectory, incarnation, String(number)) };
  }
}

/** A fresh place for the bytes of a version. Whoever asked calls `discard` in the end. */
export async function stage(root: string): Promise<StagedVersion> {
  const incarnation = randomBytes(8).toString('hex');
  const directory = join(root, stagingName, incarnation);
  await mkdir(join(directory, incarnation), { recursive: true });
  return { directory, incarnation, path: join(directory, incarnation, '1') };
}

/** Makes a staged version the first one of a new object. @returns false when the object exists. */
export async function create(staged: StagedVersion, objectDirectory: string): Promise<boolean> {
  await flushDirectory(dirname(staged.path));
  await flushDirectory(staged.directory);
  if (!(await doneUnless(rename(staged.directory, objectDirectory), 'EEXIST', 'ENOTEMPTY'))) return false;
  await flushDirectory(dirname(objectDirectory));
  return true;
}

/** Makes a staged version the successor of `predecessor`. @returns false when that one is no longer current. */
export async function append(
  staged: StagedVersion,
  predecessor: FileVersion,
  identity: FileIdentity,
): Promise<boolean> {
  const directory = dirname(predecessor.path);
  const successor = join(directory, String(predecessor.number + 1));
  if (!(await doneUnless(link(staged.path, successor), 'EEXIST', 'ENOENT'))) {
    await stat(staged.path); // ENOENT may also mean that the staged file was swept: that is no lost race.
    return false;
  }
  if (!(await isStill(predecessor.path, identity)) && !(await isHighest(directory, predecessor.number + 1))) {
    await doneUnless(unlink(successor), 'ENOENT');
    return false;
  }
  await doneUnless(flushDirectory(directory), 'ENOENT'); // The object was removed after this write.
  return true;
}

/** A directory of few names is read in one piece, so no version moves past this look. */
const isHighest = async (directory: string, number: number): Promise<boolean> =>
  (await unlessErrno(numbersIn(directory), 'ENOENT'))?.at(-1) === number;

async function isStill(path: string, { inode, modifiedNs }: FileIdentity): Promise<boolean> {
  const found = await unlessErrno(stat(path, { bigint: true }), 'ENOENT');
  return found !== undefined && found.ino === inode && found.mtimeNs === modifiedNs;
}

/** Frees what a staged version still holds. Never fails: what is left is swept a day later. */
export async function discard(staged: StagedVersion): Promise<void> {
  await rm(staged.directory, { recursive: true, force: true }).catch(() => undefined);
}

/**
 * Unlinks superseded versions, lowest first, and stops before one whose successor is still being looked at by its writer
 * (see above). Never fails: the write is done, and what is left the next write prunes.
 */
export async function prune(incarnationDirectory: string): Promise<void> {
  try {
    const numbers = await numbersIn(incarnationDirectory);
    for (const [index, number] of numbers.entries()) {
      const next = numbers[index + 1];
      if (next === undefined) return;
      const successor = await stat(join(incarnationDirectory, String(next)));
      if (next === number + 1 && successor.nlink > 1) return;
      await doneUnless(unlink(join(incarnationDirectory, String(number))), 'ENOENT');
    }
  } catch {
    return;
  }
}

/** Takes an object away in one step, then frees its bytes. Nothing there: nothing done. */
export async function removeObject(root: string, objectDirectory: string): Promise<void> {
  const grave = join(root, stagingName, randomBytes(8).toString('hex'));
  await mkdir(dirname(grave), { recursive: true });
  if (!(await doneUnless(rename(objectDirectory, grave), 'ENOENT'))) return;
  await flushDirectory(dirname(objectDirectory));
  await rm(grave, { recursive: true, force: true });
}

/** Frees what writers that died left behind long ago. @returns how many staged versions */
export async function sweepStaging(root: string, olderThanMs: number): Promise<number> {
  const staging = join(root, stagingName);
  let swept = 0;
  for (const name of (await unlessErrno(readdir(staging), 'ENOENT')) ?? []) {
    const found = await unlessErrno(stat(join(staging, name)), 'ENOENT');
    if (found === undefined || Date.now() - found.mtimeMs < olderThanMs) continue;
    await rm(join(staging, name), { recursive: true, force: true });
    swept++;
  }
  return swept;
}

/** Makes the entries of a directory survive a power cut. */
export async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Version numbers in ascending order. */
async function numbersIn(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => /^\d{1,15}$/.test(name))
    .map(Number)
    .sort((left, right) => left - right);
}

/** `<incarnation>.<number>.<inode>.<mtime in ns>`: the version string of the port. */
export const versionToken = ({ incarnation, number }: FileVersion, { inode, modifiedNs }: FileIdentity): string =>
  `${incarnation}.${number}.${inode}.${modifiedNs}`;

/** @returns undefined for a string that no file store gave. */
export function parseVersionToken(
  token: string,
  objectDirectory: string,
): { version: FileVersion; identity: FileIdentity } | undefined {
  const [, incarnation = '', number = '', inode = '', modifiedNs = ''] =
    /^([0-9a-f]{16})\.(\d{1,15})\.(\d{1,20})\.(\d{1,20})$/.exec(token) ?? [];
  if (incarnation === '') return undefined;
  return {
    version: { incarnation, number: Number(number), path: join(objectDirectory, incarnation, number) },
    identity: { inode: BigInt(inode), modifiedNs: BigInt(modifiedNs) },
  };
}
