import {
  beginAttempt,
  describeEnds,
  endAttempt,
  fruitlessAttempts,
  fruitlessAttemptsLimit,
  isStuck,
  withFound,
  withProgress,
  type AttemptEnd,
  type HeartbeatDetails,
} from '../../../activities/attempts.js';

const durable = (step: number) => ({ phase: 'train', durable: { step, fence: 1 } });
const died: AttemptEnd = { code: 'child-died' };

interface Attempt {
  readonly steps?: readonly number[];
  /** Absent: it was killed, and nobody could say anything. */
  readonly end?: AttemptEnd;
}

/** What heartbeats say after these attempts, each of which knows of the one before it only what that one said. */
function after(attempts: readonly Attempt[]): HeartbeatDetails | undefined {
  let before: HeartbeatDetails | undefined;
  for (const [index, { steps = [], end }] of attempts.entries()) {
    let details = beginAttempt(index + 1, before);
    for (const step of steps) details = withProgress(details, durable(step));
    before = end ? endAttempt(details, end) : details;
  }
  return before;
}

const times = (count: number, attempt: Attempt): Attempt[] => Array.from({ length: count }, () => attempt);
const fruitless = (...attempts: readonly Attempt[]): number => fruitlessAttempts(after(attempts)!);

describe('attempts that bring no new durable step', () => {
  it('are counted, whatever they failed with', () => {
    expect(fruitless(...times(4, { end: died }))).toBe(4);
    expect(fruitless({ end: died }, { end: { code: 'store-unavailable' } })).toBe(2);
  });

  it('count nothing once a step is durable that was not before', () => {
    expect(fruitless(...times(4, { end: died }), { steps: [10], end: died })).toBe(0);
    expect(fruitless({ steps: [10], end: died }, { end: died })).toBe(1);
  });

  it('count when they only restored, or wrote again, what was durable', () => {
    const attempts = [{ steps: [10], end: died }, ...times(3, { steps: [10], end: died })];
    expect(fruitless(...attempts)).toBe(3);
    expect(fruitless(...attempts, { steps: [5, 10, 11], end: died })).toBe(0);
  });

  it.each(['stage-busy', 'machine-differs'])('do not count when they waited: %s', (code) => {
    expect(fruitless(...times(3, { end: died }), ...times(50, { end: { code } }))).toBe(3);
    expect(fruitless(...times(50, { end: { code } }), ...times(3, { end: died }))).toBe(3);
  });

  it('do not count when they were told to end', () => {
    expect(fruitless(...times(9, { end: 'told-to-end' }))).toBe(0);
    expect(fruitless({ end: died }, { end: 'told-to-end' }, { end: died })).toBe(2);
    expect(fruitless({ end: died }, { steps: [1], end: 'told-to-end' })).toBe(0);
  });

  it('count when they were killed', () => {
    const killed = times(fruitlessAttemptsLimit, {});
    expect(isStuck(beginAttempt(fruitlessAttemptsLimit + 1, after(killed)))).toBe(true);
    expect(isStuck(beginAttempt(fruitlessAttemptsLimit, after(killed.slice(1))))).toBe(false);
  });

  describe('whose workers died before they could say what they made durable', () => {
    const killed = (steps: readonly number[] = []) => after([{ steps }, ...times(fruitlessAttemptsLimit, {})]);
    const seventh = (steps?: readonly number[]) => beginAttempt(fruitlessAttemptsLimit + 2, killed(steps));

    it('count no longer once the store has a checkpoint of a later claim', () => {
      expect(isStuck(seventh([3]))).toBe(true);
      expect(isStuck(withFound(seventh([3]), { step: 4, fence: 2 }))).toBe(false);
      expect(isStuck(withFound(seventh(), { step: 1, fence: 1 }))).toBe(false);
    });

    it('count where the store has nothing, or what was told already', () => {
      expect(isStuck(withFound(seventh([3]), undefined))).toBe(true);
      expect(isStuck(withFound(seventh([3]), { step: 3, fence: 1 }))).toBe(true);
    });

    it('count again where they have made nothing later since', () => {
      let details = withFound(seventh(), { step: 1, fence: 1 });
      for (let attempt = 8; attempt < 8 + fruitlessAttemptsLimit; attempt += 1)
        details = beginAttempt(attempt, details);
      expect(isStuck(details)).toBe(true);
      expect(isStuck(withFound(details, { step: 1, fence: 9 }))).toBe(true);
      expect(isStuck(withFound(details, { step: 2, fence: 9 }))).toBe(false);
    });
  });

  it('count anew when somebody resets the activity', () => {
    const details = beginAttempt(1, after(times(4, { steps: [3], end: died })));
    expect(fruitlessAttempts(details)).toBe(1);
    expect(details.durable).toEqual({ step: 3, fence: 1 });
  });

  it('are named with the codes that they ended with, and those that could not say one', () => {
    const details = after([{ end: died }, {}, { end: { code: 'fence-lost' } }, {}, {}]);
    expect(describeEnds(beginAttempt(6, details))).toBe('child-died, fence-lost, no answer (3 times)');
    expect(describeEnds(beginAttempt(2, after([{}])))).toBe('no answer');
  });
});

describe('what a heartbeat says', () => {
  it('begins with the durable step of the attempt before, and shows nothing else of it', () => {
    const details = after([{ steps: [7] }]);
    expect(beginAttempt(2, details)).toEqual({
      durable: { step: 7, fence: 1 },
      attempt: 2,
      lastProgressAttempt: 1,
      codes: [],
    });
  });

  it('shows the fence of whoever wrote the step last', () => {
    const details = withProgress(beginAttempt(2, after([{ steps: [7] }])), {
      phase: 'train',
      durable: { step: 7, fence: 2 },
    });
    expect(details).toMatchObject({ durable: { step: 7, fence: 2 }, lastProgressAttempt: 1 });
  });

  it.each([undefined, null, 'text', { attempt: 'x' }, { step: 5 }, []])('is not misread from %j', (foreign) => {
    expect(beginAttempt(3, foreign)).toEqual({ attempt: 3, lastProgressAttempt: 2, codes: [] });
  });
});
