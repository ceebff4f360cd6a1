/** Leases of cores between real processes; a test has a host of its own name, and so cores of its own. */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { superviseChild } from '../../../activities/child.js';
import type { Progress } from '../../../config/child-protocol.js';
import { holdSocket } from '../../../workers/abstract-socket.js';
import { holdCores } from '../../../workers/core-lease.js';
import {
  compiledPath,
  descendantsOf,
  isAlive,
  startProgram,
  stateOf,
  until,
  type RunningProcess,
} from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary.js';

const program = 'test/support/children/core-holder.js';
let host: string;

beforeEach(() => {
  host = `test-${randomUUID()}`;
});

/** @param words cores of the host, threads, and how long they are held; a log */
const startHolder = (ready: string, ...words: readonly (number | string)[]) =>
  startProgram(program, [host, ...words.map(String)], {}, ready);

const ours = { work: 'a stage', fence: 2 };
const noLog = '/dev/null';
const forever = 3_600_000;

async function end(process: RunningProcess): Promise<void> {
  process.signal('SIGKILL');
  await process.exited;
}

const holdHere = (threads: number, signal = new AbortController().signal, waited: number[] = []) =>
  holdCores({ name: host, cores: 3, threads, claim: ours, signal, onWait: (held) => waited.push(held) });

describe('the cores of a host', () => {
  it('are held by a process until it is killed: others wait with what is free', async () => {
    const first = await startHolder('holds', 3, 2);
    const second = await startHolder('waits with 1', 3, 2);
    expect(second.output()).not.toContain('holds');
    await end(first);
    await until('the lease of the second', () => second.output().includes('holds'), 5000);
    await end(second);
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
    for (const process of [holder, third]) await end(process);
  });

  it('are all held by a process of more threads than there are: nobody computes beside it', async () => {
    const holder = await startHolder('holds', 3, 4);
    const abort = new AbortController();
    const waited: number[] = [];
    const waiting = holdHere(1, abort.signal, waited);
    await until('a wait', () => waited.length > 0);
    abort.abort(new Error('the reason'));
    await expect(waiting).rejects.toThrow('the reason');
    expect(waited[0]).toBe(0);
    await end(holder);
  });

  it('are not held by what does not compute', async () => {
    const holder = await startHolder('holds', 3, 3);
    await expect(holdHere(0)).resolves.toBeUndefined();
    await end(holder);
  });
});

describe('a process that is stopped with cores', () => {
  async function startStopped(threads: number, work: string, fence: number): Promise<RunningProcess> {
    const holder = await startHolder('holds', 3, threads, forever, noLog, work, fence);
    holder.signal('SIGSTOP');
    await until('its stop', () => stateOf(holder.pid) === 'T');
    return holder;
  }

  it('is ended by the process that has claimed the same stage since, and by that alone', async () => {
    const stopped = await startStopped(1, 'a stage', 1);
    const other = await startStopped(1, 'another stage', 1);
    await holdHere(2);
    await stopped.exited;
    expect(stateOf(other.pid)).toBe('T');
    await end(other);
  });

  it('is ended also when it stopped while it waited for them, before all others', async () => {
    const holder = await startHolder('holds', 3, 3);
    const waiting = await startHolder('waits with 0', 3, 1, forever, noLog, 'a stage', 1);
    waiting.signal('SIGSTOP');
    await until('its stop', () => stateOf(waiting.pid) === 'T');
    await end(holder);
    await holdHere(1);
    await waiting.exited;
    expect(isAlive(waiting.pid)).toBe(false);
  });

  it('does not end its successor when it goes on and wants cores again', async () => {
    const successor = await startHolder('holds', 3, 3, forever, noLog, 'a stage', 3);
    const abort = new AbortController();
    const waited: number[] = [];
    const waiting = holdHere(2, abort.signal, waited);
    await until('three looks', () => waited.length > 3);
    abort.abort(new Error('the reason'));
    await expect(waiting).rejects.toThrow('the reason');
    expect(isAlive(successor.pid)).toBe(true);
    await end(successor);
  });

  it('is named to those who wait for other stages, once its time is up', async () => {
    const stopped = await startStopped(2, 'another stage', 1);
    const { signal } = new AbortController();
    const waiting = holdCores({
      name: host,
      cores: 3,
      threads: 2,
      claim: ours,
      signal,
      onWait: () => undefined,
      stoppedLimitMs: 500,
    });
    await expect(waiting).rejects.toMatchObject({
      code: 'cores-held',
      message: expect.stringContaining(`by processes that are stopped: ${stopped.pid}`) as string,
    });
    await end(stopped);
  });

  it('is not taken for another process that bears its id: only who holds its socket is ended', async () => {
    const innocent = await startHolder('holds', 3, 1);
    const work = createHash('sha256').update('a stage').digest('hex').slice(0, 24);
    // As if the process that listens here had another id than the one it names.
    const letGo = await holdSocket(`${host}-for-${innocent.pid}-${work}-1-`);
    const abort = new AbortController();
    const waited: number[] = [];
    const waiting = holdHere(3, abort.signal, waited);
    await until('three looks', () => waited.length > 3);
    abort.abort(new Error('the reason'));
    await expect(waiting).rejects.toThrow('the reason');
    expect(isAlive(innocent.pid)).toBe(true);
    letGo?.();
    await end(innocent);
  });
});

describe('the child of a stage whose bits depend on numerics', () => {
  const entry = compiledPath('test/support/children/stage-child.js');
  const jobOf = (threads: number) => ({ behaviour: 'falls silent', threads });
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
    expect(phases[0]).toEqual({ phase: 'waiting for cores', facts: { done: 0, of: 1, unit: 'cores' }, waits: true });
    await end(holder);
  });

  it('gives its cores back within 5 s of the SIGKILL of its parent, also when it blocks', async () => {
    const all = availableParallelism();
    const job = JSON.stringify({ behaviour: 'does not yield', threads: all });
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
