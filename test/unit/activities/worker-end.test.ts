import { CancelledFailure } from '@temporalio/common';
import { longestStopMs } from '../../../activities/child.js';
import { stopWithinMs } from '../../../activities/worker-end.js';

const shutdown = new CancelledFailure('WORKER_SHUTDOWN');

describe('a child that is asked to stop', () => {
  it('has until a little before its worker ends by force, so that the attempt can still say how it went', () => {
    expect(stopWithinMs(shutdown, { forcedAfterMs: 60_000 })).toBe(55_000);
    expect(stopWithinMs(shutdown, { forcedAfterMs: 4000 })).toBe(2000);
    expect(stopWithinMs(shutdown, { forcedAfterMs: 0 })).toBe(0);
  });

  it('has as long as any save takes where its worker waits, and where it is cancelled, paused or reset', () => {
    expect(stopWithinMs(shutdown, {})).toBe(longestStopMs);
    for (const reason of ['CANCELLED', 'PAUSED', 'RESET', 'TIMED_OUT'])
      expect(stopWithinMs(new CancelledFailure(reason), { forcedAfterMs: 60_000 })).toBe(longestStopMs);
  });
});
