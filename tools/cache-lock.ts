/**
 * One set-up at a time for one cache entry. The lock is a file that its holder touches every second, so a holder that was
 * killed is recognised: at once on the same machine (its process is gone), elsewhere when the file has grown old.
 * It saves work, it does not guard data: entries appear by rename, so two holders would only build the same thing twice.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const holderSchema = z.object({
  pid: z.number(),
  host: z.string(),
  /** Tells one holding from the next, also within one process. */
  ticket: z.string(),
});

const touchEveryMs = 1000;
const abandonedAfterMs = 30_000;
const lookEveryMs = 200;

/** Runs `work` while holding the lock; waits as long as another living process holds it. */
export async function withCacheLock<Result>(
  path: string,
  onWait: ((holder: string) => void) | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const lock = `${path}.lock`;
  await mkdir(dirname(lock), { recursive: true });
  let told = false;
  const ticket = randomUUID();
  while (!(await tryCreate(lock, ticket))) {
    const holder = await livingHolder(lock);
    if (holder === undefined) continue;
    if (!told) onWait?.(holder);
    told = true;
    await sleep(lookEveryMs);
  }
  const touching = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), touchEveryMs);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    await release(lock, ticket);
  }
}

/** A holder that slept too long may have been succeeded: only its own lock is removed. */
async function release(lock: string, ticket: string): Promise<void> {
  const holder = readHolder(await readFile(lock, 'utf8').catch(() => ''));
  if (holder.ticket === ticket) await rm(lock, { force: true });
}

async function tryCreate(lock: string, ticket: string): Promise<boolean> {
  try {
    await writeFile(lock, JSON.stringify({ pid: process.pid, host: hostname(), ticket }), { flag: 'wx' });
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Who holds the lock; undefined when nobody does (any more), after the lock was taken out of the way. */
async function livingHolder(lock: string): Promise<string | undefined> {
  try {
    const ageMs = Date.now() - (await stat(lock)).mtimeMs;
    const { pid, host } = readHolder(await readFile(lock, 'utf8'));
    const dead = pid === undefined ? ageMs > touchEveryMs * 2 : host === hostname() && !isRunning(pid);
    if (!dead && ageMs < abandonedAfterMs) return `process ${pid ?? '?'} on ${host ?? 'this machine'}`;
    const aside = `${lock}.${randomUUID()}`;
    await rename(lock, aside);
    await rm(aside, { force: true });
    return undefined;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A holder killed while writing its name leaves an empty file: then nothing is known. */
function readHolder(text: string): Partial<z.infer<typeof holderSchema>> {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isCode(error, 'ESRCH');
  }
}

const isCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;
