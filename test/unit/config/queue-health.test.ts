import { queueHealth, type QueueSighting, type WorkerSighting } from '../../../config/queue-health.js';
import { roleOfQueue, workerCommand } from '../../../config/queues.js';

const now = 10_000_000;
const agoMs = (seconds: number): number => now - seconds * 1000;
const health = (sighting: Partial<QueueSighting>) => queueHealth({ pollers: [], workers: [], ...sighting }, now);
const poller = (seconds: number, identity = 'a') => ({ identity, polledAtMs: agoMs(seconds) });
const worker = (seconds: number, changes: Partial<WorkerSighting> = {}): WorkerSighting => ({
  key: '1',
  identity: 'a',
  saidAtMs: agoMs(seconds),
  intervalMs: 60_000,
  ending: false,
  ...changes,
});

describe('a task queue', () => {
  it('that nobody was ever seen at is not served', () => {
    expect(health({})).toEqual({ served: false });
  });

  it('is served by whoever polled within the length of a poll', () => {
    expect(health({ pollers: [poller(300, 'dead'), poller(59)] })).toEqual({
      served: true,
      worker: 'a',
      seenAtMs: agoMs(59),
    });
  });

  it('is served by a worker that has not polled for minutes and says that it lives: its slots are taken', () => {
    expect(health({ pollers: [poller(250)], workers: [worker(100)] })).toMatchObject({ served: true, worker: 'a' });
    expect(health({ workers: [worker(100)] })).toMatchObject({ served: true });
  });

  it('is not served by one whose polls and whose word have both stopped; the last one seen is named', () => {
    expect(health({ pollers: [poller(250)], workers: [worker(131)] })).toEqual({
      served: false,
      worker: 'a',
      seenAtMs: agoMs(131),
    });
    expect(health({ pollers: [poller(71)] })).toMatchObject({ served: false, worker: 'a' });
    expect(health({ workers: [worker(31, { intervalMs: 10_000 })] })).toMatchObject({ served: false });
  });

  it('is not served by a worker that speaks often and has fallen silent, though it polled shortly before', () => {
    const silent = worker(9, { intervalMs: 2000 });
    expect(health({ pollers: [poller(8)], workers: [silent] })).toMatchObject({ served: false, worker: 'a' });
    expect(health({ pollers: [poller(8)], workers: [{ ...silent, saidAtMs: agoMs(7) }] })).toMatchObject({
      served: true,
    });
  });

  it('is not served by a worker that said it ends, though it polled a moment ago', () => {
    const ending = worker(3, { ending: true });
    expect(health({ pollers: [poller(5)], workers: [ending] })).toMatchObject({ served: false, worker: 'a' });
    expect(health({ pollers: [poller(5), poller(5, 'b')], workers: [ending] })).toMatchObject({ worker: 'b' });
  });

  it('is served by whoever works at something of it, polls or not, unless it has spoken and speaks no more', () => {
    const served = (workers: QueueSighting['workers']): boolean =>
      queueHealth({ pollers: [poller(300)], workers }, now, ['a']).served;
    expect(served([worker(9, { intervalMs: 2000 })])).toBe(false);
    expect(served([worker(1, { ending: true })])).toBe(false);
    expect(served([worker(7, { intervalMs: 2000 })])).toBe(true);
    expect(served([worker(9, { intervalMs: 2000 }), worker(1)])).toBe(true);
    expect(served([])).toBe(true);
    expect(served([worker(200, { identity: 'b' })])).toBe(true);
  });

  it('is served in doubt where only workers are there that may live: their polls, and what they work at, count no more', () => {
    const doubted = worker(9, { intervalMs: 2000, inDoubt: true });
    expect(health({ pollers: [poller(8)], workers: [doubted] })).toMatchObject({ served: true, inDoubt: true });
    expect(queueHealth({ pollers: [], workers: [doubted] }, now, ['a'])).toMatchObject({ served: true, inDoubt: true });
    expect(health({ pollers: [poller(8, 'b')], workers: [doubted] }).inDoubt).toBeUndefined();
    expect(queueHealth({ pollers: [], workers: [doubted] }, now, ['b']).inDoubt).toBeUndefined();
  });

  it('is served by a successor that goes by the same name', () => {
    const ended = worker(30, { ending: true });
    expect(health({ pollers: [poller(5)], workers: [ended] })).toMatchObject({ served: true });
  });
});

describe('the command that starts a worker', () => {
  it('names the role and, where it is not the usual one, the prefix of the queue', () => {
    expect(workerCommand('nightstill-gpu')).toBe('nightstill worker --role gpu');
    expect(workerCommand('my-team-io')).toBe('nightstill worker --role io --queue-prefix my-team');
    expect(workerCommand('somebody-else')).toBeUndefined();
    expect(roleOfQueue('nightstill-orchestrator')).toBe('orchestrator');
  });
});
