/** Leases of cores between real processes; a test has a host of its own name, and so cores of its own. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { superviseChild } from '../../../activities/child.js';
import type { Progress } from '../../../config/child-protocol.js';
import { holdCores } from '../../../workers/core-lease.js';
import { compiledPath, descendantsOf, isAlive, startProgram, until } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary.js';

const program = 'test/support/children/core-holder.js';
let host: string;

beforeEach(() => {
  host = `test-${randomUUID()}`;
});

/** @param words cores of the host, threads, and how long they are held; a log */
const startHolder = (ready: string, ...words: readonly (number | string)[]) =>
  startProgram(program, [host, ...words.map(String)], {}, ready);

const holdHere = (threads: number, signal = new AbortController().signal, waited: number[] = []) =>
  holdCores({ name: host, cores: 3, threads, signal, onWait: (held) => waited.push(held) });

describe('the cores of a host', () => {
  it('are held by a process until it is killed: others wait with what is free', async () => {
    const first = await startHolder('holds', 3, 2);
    const second = await startHolder('waits with 1', 3, 2);
    expect(second.output()).not.toContain('holds');
    first.signal('SIGKILL');
    await until('the lease of the second', () => second.output().includes('holds'), 5000);
    second.signal('SIGKILL');
    await second.exited;
  });

  it('go to one process after another when each wants all of them, and nobody waits for ever', async () => {
    const log = join(temporaryDirectory(), 'log');
    const holders = await Promise.all([1, 2, 3].map(() => startHolder('started', 2, 2, 300, log)));
    await Promise.all(holders.map(({ exited }) => exited));
    expect(readFileSync(log, 'utf8')).toBe('begin\nend\n'.repeat(3));
  });

  it('are not waited for any longer once the wait is aborted, and those collected are free again', async () => {
    const holder = await startHolder('holds', 3, 2);
    const abort = new AbortController();
    const waited: number[] = [];
    const waiting = holdHere(2, abort.signal, waited);
    await until('a wait', () => waited.length > 0);
    abort.abort(new Error('the reason'));
    await expect(waiting).rejects.toThrow('the reason');
    expect(waited[0]).toBe(1);
    const third = await startHolder('holds', 3, 1);
    for (const process of [holder, third]) {
      process.signal('SIGKILL');
      await process.exited;
    }
  });

  it('that do not exist are refused', async () => {
    await expect(holdHere(4)).rejects.toMatchObject({
      code: 'numerics-unavailable',
      message: 'numerics.threads: expected at most 3, the cores of this host that may be used, found 4',
    });
  });

  it('are not held by what does not compute', async () => {
    const holder = await startHolder('holds', 3, 3);
    await expect(holdHere(0)).resolves.toBeUndefined();
    holder.signal('SIGKILL');
    await holder.exited;
  });
});

describe('the child of a stage whose bits depend on numerics', () => {
  const entry = compiledPath('test/support/children/stage-child.js');
  const jobOf = (threads: number) => ({ behaviour: 'falls silent', numerics: { threads } });
  const supervise = (threads: number, onProgress: (progress: Progress) => void, signal: AbortSignal) =>
    superviseChild({
      entry,
      job: jobOf(threads),
      silenceLimitsMs: { start: 20_000 },
      answer: () => Promise.resolve(null),
      onProgress,
      signal,
    });

  it('waits for cores before it works, says so, and can be stopped then', async () => {
    const all = availableParallelism();
    const holder = await startProgram(program, ['nightstill', String(all), String(all)], {}, 'holds');
    const abort = new AbortController();
    const phases: Progress[] = [];
    const take = (progress: Progress): void => {
      if (phases.push(progress) === 2) abort.abort(new Error('the reason'));
    };
    await expect(supervise(1, take, abort.signal)).rejects.toThrow('the reason');
    expect(phases[0]).toEqual({ phase: 'waiting for cores', facts: { done: 0, of: 1, unit: 'cores' } });
    holder.signal('SIGKILL');
    await holder.exited;
  });

  it('is refused more threads than the host has cores', async () => {
    const end = supervise(availableParallelism() + 1, () => undefined, new AbortController().signal);
    await expect(end).rejects.toMatchObject({ code: 'numerics-unavailable' });
  });

  it('gives its cores back within 5 s of the SIGKILL of its parent, also when it blocks', async () => {
    const all = availableParallelism();
    const job = JSON.stringify({ behaviour: 'does not yield', numerics: { threads: all } });
    const parent = await startProgram('test/support/children/parent.js', [entry, job], {}, 'phase work');
    const [child = 0] = descendantsOf(parent.pid);
    expect(isAlive(child)).toBe(true);
    parent.signal('SIGKILL');
    await parent.exited;
    await until('the end of the child', () => !isAlive(child), 5000);
    const holder = await startProgram(program, ['nightstill', String(all), String(all), '0'], {}, 'holds');
    await holder.exited;
  });
});
