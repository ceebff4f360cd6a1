/** Processes that somebody has stopped or frozen, by the control groups of this machine where it lets this process make one. */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { standsStill } from '../../../workers/standing-still.js';
import { startProgram, stateOf, until, type RunningProcess } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary.js';

let running: RunningProcess;
beforeEach(async () => {
  running = await startProgram('test/support/children/core-holder.js', [`still-${process.pid}`, '1', '0'], {}, 'holds');
});
afterEach(async () => {
  running.signal('SIGKILL');
  await running.exited;
});

it('a process that is stopped by a signal stands still, and one that waits for something does not', async () => {
  expect(await standsStill(running.pid)).toBe(false);
  running.signal('SIGSTOP');
  await until('its stop', () => stateOf(running.pid) === 'T');
  expect(await standsStill(running.pid)).toBe(true);
});

it('one that is gone does not', async () => {
  running.signal('SIGKILL');
  await running.exited;
  expect(await standsStill(running.pid)).toBe(false);
});

const hierarchies = [
  { version: 1, parent: '/sys/fs/cgroup/freezer', freeze: ['freezer.state', 'FROZEN', 'THAWED'] },
  { version: 2, parent: '/sys/fs/cgroup', freeze: ['cgroup.freeze', '1', '0'] },
] as const;

it.each(hierarchies)(
  'one that is frozen with its group of version $version does',
  async ({ version, parent, freeze }) => {
    const group = join(parent, `nightstill-still-${process.pid}`);
    const [file, frozen, thawed] = freeze;
    const write = (name: string, text: string): void => writeFileSync(join(group, name), text, { flag: 'r+' });
    try {
      mkdirSync(group);
      write('cgroup.procs', `${running.pid}`);
      write(file, frozen);
    } catch (error) {
      rmdirIfEmpty(group);
      process.stdout.write(`nothing was frozen by a group of version ${version}: ${String(error)}\n`);
      return;
    }
    // The kernel answers once the group is frozen, or thawed.
    const seen = (still: boolean) =>
      until(`that it ${still ? 'stands still' : 'goes on'}`, async () => (await standsStill(running.pid)) === still);
    await expect(seen(true)).resolves.toBe(true);
    write(file, thawed);
    await expect(seen(false)).resolves.toBe(true);
    running.signal('SIGKILL');
    await running.exited;
    rmdirSync(group);
  },
);

function rmdirIfEmpty(group: string): void {
  try {
    rmdirSync(group);
  } catch {
    // It was not made.
  }
}

it('one whose groups cannot be seen from here is judged by the kernel alone', async () => {
  expect(await standsStill(running.pid, temporaryDirectory())).toBe(false);
});
