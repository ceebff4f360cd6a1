/**
 * Does a process stand still because somebody else wants it to: stopped by a signal or a debugger, or frozen with its control group
 * (`docker pause`, `systemctl freeze`)? The kernel shows a frozen process as one that sleeps; only its group tells. Linux only.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @param groups where the control groups are mounted */
export async function standsStill(pid: number, groups = '/sys/fs/cgroup'): Promise<boolean> {
  return isStopped(await read(`/proc/${pid}/stat`)) || (await isFrozen(await read(`/proc/${pid}/cgroup`), groups));
}

/** By the state that follows the name of its program, which may itself contain anything. */
const isStopped = (stat: string): boolean => /^[Tt]/.test(stat.slice(stat.lastIndexOf(')') + 2));

/** A line a hierarchy, `number:controllers:path`: version 2 has the number 0 and no controllers, and freezes without any. */
async function isFrozen(memberships: string, groups: string): Promise<boolean> {
  const told = memberships.split('\n').map(async (line) => {
    const [, controllers, path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === '') return /^frozen 1$/m.test(await read(join(groups, path, 'cgroup.events')));
    return controllers === 'freezer' && (await read(join(groups, controllers, path, 'freezer.state'))) === 'FROZEN\n';
  });
  return (await Promise.all(told)).includes(true);
}

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
