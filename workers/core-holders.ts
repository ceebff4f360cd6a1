/**
 * Which processes of a host hold cores, or wait for some, and for which claim of a stage. Each listens on an abstract socket of its
 * own, whose name says all that: the kernel shows the name to everybody, even while the process is stopped, and removes it with the
 * process. A process id is believed only while that process holds that socket: ids are given out again.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { ObjectStore, StageWriter } from '../storage/index.js';
import { holdSocket } from './abstract-socket.js';
import { standsStill } from './standing-still.js';

/** The claim of a stage that a process works for: of two claims on the same work, the lower fence has lost the stage. */
export interface CoreClaim {
  /** Names what the fence counts: the claims on one stage of one store. */
  readonly work: string;
  readonly fence: number;
}

interface CoreHolder extends CoreClaim {
  readonly pid: number;
  /** Of its socket. */
  readonly inode: string;
}

/**
 * URL and lineage together name the work. Two stores may have one URL, where the environment names the endpoint of S3; and a copy of a
 * store has the same lineage.
 */
export const coreClaimOf = ({ url }: Pick<ObjectStore, 'url'>, { lineage, fence }: StageWriter): CoreClaim => ({
  work: `${url} ${lineage}`,
  fence,
});

const shortDigest = (work: string): string => createHash('sha256').update(work).digest('hex').slice(0, 24);

/** Announces this process, until it ends. */
export async function announceHolder(name: string, { work, fence }: CoreClaim): Promise<void> {
  await holdSocket(`${name}-for-${process.pid}-${shortDigest(work)}-${fence}-`);
}

/**
 * Ends, with SIGKILL, every process that holds cores for an earlier claim of the same work: the claim is lost, so that nothing
 * it may still compute can be recorded. Others' processes, and those of another user, are left alone.
 */
export async function endSuperseded(name: string, claim: CoreClaim): Promise<void> {
  const work = shortDigest(claim.work);
  for (const holder of await holders(name))
    if (holder.work === work && holder.fence < claim.fence && (await holdsItsSocket(holder))) endProcess(holder.pid);
}

/** Process ids of those that are stopped, or frozen with their control group. */
export async function stoppedHolders(name: string): Promise<readonly number[]> {
  const stopped: number[] = [];
  for (const holder of await holders(name))
    if ((await standsStill(holder.pid)) && (await holdsItsSocket(holder))) stopped.push(holder.pid);
  return stopped;
}

async function holders(name: string): Promise<readonly CoreHolder[]> {
  const sockets = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  return sockets.split('\n').flatMap((line) => {
    const [, inode, listensOn, said] = /(\d+) @(\S*)-for-(\d+-[0-9a-f]{24}-\d+)-\.*$/.exec(line) ?? [];
    if (inode === undefined || listensOn !== name || said === undefined) return [];
    const [pid, work = '', fence] = said.split('-');
    return [{ pid: Number(pid), work, fence: Number(fence), inode }];
  });
}

/** Nobody can be shown to hold a socket in whose process we may not look. */
async function holdsItsSocket({ pid, inode }: CoreHolder): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  const descriptors = await readdir(directory).catch(() => []);
  const targets = await Promise.all(descriptors.map((name) => readlink(`${directory}/${name}`).catch(() => '')));
  return targets.includes(`socket:[${inode}]`);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone, or another user's.
  }
}
