import { ActivityCancellationDetails, ApplicationFailure } from '@temporalio/common';
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { translating } from '../../../activities/translate.js';
import { NightstillError, type ErrorDetails } from '../../../config/errors.js';
import type { FailureCode } from '../../../config/failures.js';

/** The SDK logs every failed activity. */
const quiet = new DefaultLogger('ERROR');
const newEnvironment = () => new MockActivityEnvironment({}, { logger: quiet });

const failing = (code: FailureCode, details?: ErrorDetails) =>
  newEnvironment().run(
    translating(() => Promise.reject(new NightstillError(code, 'found something else', details))),
    null,
  );

describe('an error of an activity', () => {
  it('becomes a failure whose type is the code, with the remedy in its message', async () => {
    await expect(failing('dataset-row-invalid', { details: { line: 3 } })).rejects.toMatchObject({
      name: 'ApplicationFailure',
      type: 'dataset-row-invalid',
      message: 'found something else. Correct the row that the message names.',
      details: [{ line: 3, fault: 'user' }],
    });
  });

  it.each<[FailureCode, boolean]>([
    ['dataset-row-invalid', true],
    ['store-unavailable', false],
    ['stage-busy', false],
    ['fence-lost', false],
    ['nondeterministic-stage', true],
    ['child-died', false],
  ])('%s: nonRetryable is %s, as the table says', async (code, nonRetryable) => {
    await expect(failing(code)).rejects.toMatchObject({ type: code, nonRetryable });
  });

  it('that only waits is tried again at an interval of its own, no longer than the plan allows', async () => {
    const busy = translating(() => Promise.reject(new NightstillError('stage-busy', 'found another')));
    const within = (maximumInterval: '5m' | '2s') =>
      new MockActivityEnvironment({ retryPolicy: { maximumInterval } }, { logger: quiet });
    await expect(within('5m').run(busy, null)).rejects.toMatchObject({ nextRetryDelay: 10_000 });
    await expect(within('2s').run(busy, null)).rejects.toMatchObject({ nextRetryDelay: 2000 });
    await expect(failing('store-unavailable')).rejects.toMatchObject({ nextRetryDelay: undefined });
  });

  it('that has no code is unexpected, and tried again', async () => {
    const work = translating(() => Promise.reject(new TypeError('a defect')));
    await expect(newEnvironment().run(work, null)).rejects.toMatchObject({
      type: 'unexpected',
      nonRetryable: false,
      message: expect.stringContaining('a defect'),
      stack: expect.stringContaining('translate.test'),
    });
  });

  it('that is a failure of Temporal already stays what it is', async () => {
    const failure = ApplicationFailure.create({ type: 'mine' });
    const work = translating(() => Promise.reject(failure));
    await expect(newEnvironment().run(work, null)).rejects.toBe(failure);
  });

  it('is the reason of the cancellation when the activity was cancelled, whatever the abort made fail', async () => {
    const environment = newEnvironment();
    const work = translating(() => {
      environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
      return Promise.reject(new NightstillError('store-unavailable', 'aborted'));
    });
    const end: unknown = await environment.run(work, null).catch((error: unknown) => error);
    expect(end).toBeInstanceOf(CancelledFailure);
    expect(end).toMatchObject({ message: 'WORKER_SHUTDOWN' });
  });
});
