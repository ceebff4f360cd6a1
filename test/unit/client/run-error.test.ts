import { Client, Connection, QueryNotRegisteredError, ServiceError } from '@temporalio/client';
import { NamespaceNotFoundError, ValueError, WorkflowNotFoundError } from '@temporalio/common';
import { RunHandle, start } from '../../../client/index.js';
import { asQueryError } from '../../../client/query-error.js';
import { asAnswerError, asRunError } from '../../../client/run-error.js';
import { grpcStatus } from '../../../config/grpc-status.js';
import { freePort } from '../../support/free-port.js';

describe('a client without a Temporal server', () => {
  it('says so with a code, whatever is asked of it', async () => {
    // No interceptors: the client's own would try again for a quarter of a minute.
    const connection = Connection.lazy({ address: `127.0.0.1:${await freePort()}`, interceptors: [] });
    const client = new Client({ connection });
    const handle = new RunHandle(client, 'run-1');
    for (const ask of [
      () => handle.result(),
      () => handle.state(),
      () => handle.cancel(),
      () => start({ client, file: {} }),
    ]) {
      await expect(ask()).rejects.toMatchObject({
        code: 'temporal-unavailable',
        retryable: true,
        message: expect.stringMatching(/: it refuses the connection$/) as string,
      });
    }
    await connection.close();
  });
});

describe('what Temporal says', () => {
  const grpc = (code: number) =>
    Object.assign(new Error('said'), {
      code,
      details: 'the reason',
      metadata: new Map([['grpc-status-details-bin', []]]),
    });

  it('has a code, as the server sends it and as its client wraps it', () => {
    const codes = {
      'temporal-unavailable': ['cancelled', 'deadlineExceeded', 'resourceExhausted', 'unavailable'],
      'temporal-refused': [
        'invalidArgument',
        'permissionDenied',
        'failedPrecondition',
        'unimplemented',
        'unauthenticated',
      ],
      'run-missing': ['notFound'],
    } as const;
    for (const [code, statuses] of Object.entries(codes))
      for (const status of statuses)
        for (const error of [grpc(grpcStatus[status]), new ServiceError('failed', { cause: grpc(grpcStatus[status]) })])
          expect([status, asRunError('run-1', error)]).toEqual([status, expect.objectContaining({ code })]);
    expect(Object.values(codes).flat().toSorted()).toEqual(Object.keys(grpcStatus).toSorted());
  });

  it('of a run or a namespace that is not there is told apart', () => {
    expect(asRunError('run-1', new WorkflowNotFoundError('none', 'run-1', undefined))).toMatchObject({
      code: 'run-missing',
    });
    expect(asRunError('run-1', new NamespaceNotFoundError('nowhere'))).toMatchObject({
      code: 'temporal-refused',
      message: expect.stringContaining('the namespace nowhere'),
    });
  });

  it('of a query that nobody can take now is a run that is unanswered', async () => {
    const run = new RunHandle(new Client({ connection: Connection.lazy({ address: '127.0.0.1:9' }) }), 'run-1');
    expect(await asQueryError(run, grpc(grpcStatus.failedPrecondition))).toMatchObject({
      code: 'run-unanswered',
      retryable: true,
      message: expect.stringContaining('the reason'),
    });
    expect(await asQueryError(run, grpc(grpcStatus.permissionDenied))).toMatchObject({ code: 'temporal-refused' });
    expect(await asQueryError(run, new QueryNotRegisteredError('none', 3))).toMatchObject({ code: 'run-missing' });
  });

  it('of a call that was aborted here stays as it is', () => {
    const aborted = Object.assign(grpc(grpcStatus.cancelled), { details: 'Cancelled on client' });
    expect(asRunError('run-1', aborted)).toBe(aborted);
  });

  it('that its client cannot decode is a run that is unreadable; what it does not know of a call stays as it is', () => {
    const [undecoded, strange] = [new ValueError('Unknown encoding'), new ServiceError('failed')];
    expect(asAnswerError('run-1', undecoded)).toMatchObject({ code: 'run-unreadable', cause: undecoded });
    expect(asAnswerError('run-1', strange)).toBe(strange);
    expect(asRunError('run-1', undecoded)).toBe(undecoded);
  });
});
