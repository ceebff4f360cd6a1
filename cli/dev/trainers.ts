/** The training processes that a worker of this machine has started. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: string;
}

export async function trainersBelow(ancestor: number): Promise<number[]> {
  const all = await processes();
  const below = (parent: number): ProcessEntry[] =>
    all.filter((entry) => entry.parent === parent).flatMap((entry) => [entry, ...below(entry.pid)]);
  return below(ancestor)
    .filter(({ commandLine }) => /workers[\\/]trainer\.js/.test(commandLine))
    .map(({ pid }) => pid);
}

/** From Linux itself, which is there in the barest image; elsewhere from `ps`. */
async function processes(): Promise<ProcessEntry[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  if (pids.length > 0) return (await Promise.all(pids.map(entryOf))).filter((entry) => entry !== undefined);
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args=']);
  return [...stdout.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].map(([, pid, parent, commandLine = '']) => ({
    pid: Number(pid),
    parent: Number(parent),
    commandLine,
  }));
}

async function entryOf(pid: number): Promise<ProcessEntry | undefined> {
  try {
    const [stat, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The name of the program stands in parentheses and may hold anything.
    const [, parent] = stat.replace(/^.*\) /s, '').split(' ');
    return { pid, parent: Number(parent), commandLine: commandLine.replaceAll('\0', ' ') };
  } catch {
    return undefined; // it is gone
  }
}
