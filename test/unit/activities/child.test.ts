import { setTimeout as delay } from 'node:timers/promises';
import { superviseChild, type ChildRequest } from '../../../activities/child.js';
import type { Progress } from '../../../config/child-protocol.js';
import { NightstillError } from '../../../config/errors.js';
import { commandLineOf, compiledPath, descendantsOf, isAlive, startProgram, until } from '../../support/processes.js';

const entry = compiledPath('test/support/children/stage-child.js');

function supervise(job: string, request: Partial<ChildRequest> = {}) {
  return superviseChild({
    entry,
    job,
    silenceLimitsMs: { start: 20_000, work: 20_000 },
    answer: () => Promise.resolve(null),
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...request,
  });
}

/** Whatever happened to it: once supervision is over, the child is gone. */
afterEach(() => {
  const [left] = descendantsOf(process.pid).filter((pid) => isAlive(pid));
  if (left !== undefined) throw new Error(`expected no process, found ${commandLineOf(left)}`);
});

describe('a supervised child', () => {
  it('asks its parent, and its result is returned', async () => {
    const answer = (question: unknown) => Promise.resolve(`answer to ${String(question)}`);
    expect(await supervise('asks', { answer })).toEqual(['answer to first', 'answer to second']);
  });

  it('may print whatever it likes: only its link counts', async () => {
    expect(await supervise('prints much')).toBe('the result');
  });

  it('reports every durable step, and in between no more than a few times a second', async () => {
    const reports: Progress[] = [];
    await supervise('reports progress', { onProgress: (progress) => reports.push(progress) });
    expect(reports).toEqual([
      { phase: 'work', durable: { step: 1, fence: 7 } },
      { phase: 'work', durable: { step: 2, fence: 7 } },
      { phase: 'work', durable: { step: 2, fence: 7 }, facts: { sent: true } },
    ]);
  });

  it('that is quick reports each fortieth of its work, however many of them there are a second', async () => {
    const reports: Progress[] = [];
    await supervise('is quick', { onProgress: (progress) => reports.push(progress) });
    expect(reports.map(({ facts }) => facts?.done)).toEqual(Array.from({ length: 41 }, (_, part) => 2 * part));
  });

  it.each([
    ['is killed', 'signal SIGKILL'],
    ['exits', 'exit code 3'],
  ])('that %s is reported with its last lines', async (job, end) => {
    const message = new RegExp(`phase "start".*${end}[^]*the last words$`);
    await expect(supervise(job)).rejects.toMatchObject({ code: 'child-died', message: expect.stringMatching(message) });
  });

  it('that fills its memory is told apart from one that dies otherwise', async () => {
    const environment = { ...(process.env as Record<string, string>), NODE_OPTIONS: '--max-old-space-size=50' };
    await expect(supervise('fills its memory', { environment })).rejects.toMatchObject({ code: 'out-of-memory' });
  });

  it('that cannot be started is reported with what node says', async () => {
    await expect(supervise('asks', { entry: '/does/not/exist.js' })).rejects.toMatchObject({
      code: 'child-start-failed',
      message: expect.stringContaining('Cannot find module'),
    });
  });

  it('that is silent for longer than its phase allows is killed', async () => {
    const silenceLimitsMs = { start: 20_000, work: 200 };
    await expect(supervise('falls silent', { silenceLimitsMs })).rejects.toMatchObject({
      code: 'child-silent',
      message: expect.stringContaining('phase "work"'),
    });
  });

  it('that dies while its parent thinks about an answer leaves nobody waiting for it', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const before = timers();
    let given = Promise.resolve<null>(null);
    const answer = () => (given = delay(500, null));
    await expect(supervise('dies while it asks', { answer })).rejects.toMatchObject({ code: 'child-died' });
    await given;
    await delay(1200); // for what closes the pipes of a child
    expect(timers()).toBe(before);
  });

  it('that has given its result and does not end is killed, and its result is returned', async () => {
    expect(await supervise('hangs at its end', { exitWithinMs: 200 })).toBe('the result');
  });

  it('that says the same again and again is as silent as one that says nothing', async () => {
    const silenceLimitsMs = { start: 20_000, work: 1000 };
    await expect(supervise('says the same for ever', { silenceLimitsMs })).rejects.toMatchObject({
      code: 'child-silent',
      message: expect.stringContaining('phase "work"'),
    });
  });

  it('is not called silent while its parent thinks about an answer', async () => {
    const answer = () => new Promise<null>((resolve) => setTimeout(() => resolve(null), 2500));
    expect(await supervise('asks', { answer, silenceLimitsMs: { start: 2000 } })).toEqual([null, null]);
  });

  it.each(['talks nonsense', 'speaks another protocol'])('that %s is killed', async (job) => {
    await expect(supervise(job)).rejects.toMatchObject({ code: 'child-protocol' });
  });

  it('fails with the code and the details that it failed with', async () => {
    await expect(supervise('fails with a code')).rejects.toMatchObject({
      code: 'dataset-empty',
      message: 'nothing',
      details: { line: 3 },
      fault: 'user',
    });
    await expect(supervise('fails without a code')).rejects.toMatchObject({ code: 'unexpected', message: 'a defect' });
  });

  it('fails with the error of the parent that could not answer', async () => {
    const answer = () => Promise.reject(new NightstillError('temporal-unavailable', 'no answer'));
    await expect(supervise('asks', { answer })).rejects.toMatchObject({ code: 'temporal-unavailable' });
    const defect = () => Promise.reject(new TypeError('a defect'));
    await expect(supervise('asks', { answer: defect })).rejects.toMatchObject({ code: 'unexpected' });
  });
});

describe('an abort', () => {
  /** Aborts as soon as the child works. */
  function abortInWork(job: string, request: Partial<ChildRequest> = {}) {
    const abort = new AbortController();
    const reports: Progress[] = [];
    const onProgress = (progress: Progress): void => {
      reports.push(progress);
      abort.abort(new Error('the reason'));
    };
    return { end: supervise(job, { signal: abort.signal, onProgress, ...request }), reports };
  }

  it('lets the child make its work durable first', async () => {
    const { end, reports } = abortInWork('stops when asked');
    await expect(end).rejects.toThrow('the reason');
    expect(reports.at(-1)).toEqual({ phase: 'stopping', durable: { step: 5, fence: 1 } });
  });

  it('does not throw away a result that comes all the same', async () => {
    expect(await abortInWork('finishes when asked to stop').end).toBe('finished');
  });

  it('bears with a child that saves for long, as long as it shows that it goes on', async () => {
    const { end, reports } = abortInWork('saves for a while when asked', { exitWithinMs: 300 });
    await expect(end).rejects.toThrow('the reason');
    expect(reports.at(-1)).toEqual({ phase: 'work', durable: { step: 5, fence: 1 } });
  });

  it('kills a child that does not listen, and shows nothing for longer than its phase allows', async () => {
    const { end } = abortInWork('does not yield', { silenceLimitsMs: { start: 20_000, work: 300 } });
    await expect(end).rejects.toThrow('the reason');
  });

  it('kills a child that works on as if nobody had asked, once the time for this reason is over', async () => {
    const asked: unknown[] = [];
    const stopWithinMs = (reason: unknown): number => (asked.push(reason), 300);
    const { end } = abortInWork('works on when asked to stop', { stopWithinMs });
    await expect(end).rejects.toThrow('the reason');
    expect(asked).toEqual([new Error('the reason')]);
  });

  it('before the start starts nothing', async () => {
    await expect(supervise('asks', { signal: AbortSignal.abort(new Error('the reason')) })).rejects.toThrow(
      'the reason',
    );
  });
});

describe('a child whose parent is killed', () => {
  it.each(['falls silent', 'does not yield', 'computes in native code'])(
    'ends by itself, also when it %s',
    async (behaviour) => {
      const commandLine = [entry, JSON.stringify(behaviour)];
      const parent = await startProgram('test/support/children/parent.js', commandLine, {}, 'phase work');
      const [child = 0] = descendantsOf(parent.pid);
      expect(isAlive(child)).toBe(true);
      parent.signal('SIGKILL');
      await parent.exited;
      await until('the end of the child', () => !isAlive(child), 5000);
    },
  );
});
