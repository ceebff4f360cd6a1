import { once } from 'node:events';
import { createContext, runInContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { asNightstillError, hasCode, NightstillError } from '../../../config/errors.js';
import { failures } from '../../../config/failures.js';

const foreign = "Object.assign(new Error('gone'), { code: 'object-missing', remedy: 'look again' })";

describe('an error of ours', () => {
  it('carries what the table says of its code, its cause and its details', () => {
    const cause = new Error('connection reset');
    const error = new NightstillError('store-unavailable', 'expected an answer, found none', {
      cause,
      details: { key: 'a' },
    });
    expect(error).toMatchObject({ ...failures['store-unavailable'], code: 'store-unavailable', details: { key: 'a' } });
    expect(error.name).toBe('NightstillError');
    expect(error.cause).toBe(cause);
  });

  it('has empty details and no cause when none are given', () => {
    const error = new NightstillError('object-missing', 'gone');
    expect(error.details).toEqual({});
    expect('cause' in error).toBe(false);
  });
});

describe('hasCode', () => {
  const error = new NightstillError('object-missing', 'gone');

  it('tells ours with one of the codes from all others', () => {
    expect(hasCode(error, 'object-missing')).toBe(true);
    expect(hasCode(error, 'object-exists', 'object-missing')).toBe(true);
    expect(hasCode(error, 'object-exists')).toBe(false);
    expect(hasCode(error)).toBe(true);
  });

  it.each([
    ['a system error', Object.assign(new Error('ENOENT'), { code: 'ENOENT' })],
    ['a text', 'object-missing'],
    ['null', null],
    ['nothing', undefined],
    ['an object without a code', { remedy: 'none' }],
  ])('is false for %s', (_title, value) => {
    expect(hasCode(value)).toBe(false);
  });

  it('knows an error of another realm', () => {
    const thrown: unknown = runInContext(foreign, createContext());
    expect(thrown).not.toBeInstanceOf(NightstillError);
    expect(hasCode(thrown, 'object-missing')).toBe(true);
  });

  it('knows an error that ended a worker thread', async () => {
    const worker = new Worker(`throw ${foreign}`, { eval: true });
    const [thrown]: unknown[] = await once(worker, 'error');
    expect(hasCode(thrown, 'object-missing')).toBe(true);
  });
});

describe('asNightstillError', () => {
  it('leaves ours as it is', () => {
    const error = new NightstillError('object-missing', 'gone');
    expect(asNightstillError(error)).toBe(error);
  });

  it.each([
    ['an error', new TypeError('no such method'), 'no such method'],
    ['an error of another realm', runInContext("new Error('far')", createContext()), 'far'],
    ['a text', 'broken', 'broken'],
    ['undefined', undefined, 'undefined'],
  ])('makes of %s an unexpected one that keeps message and cause', (_title, value: unknown, message) => {
    const error = asNightstillError(value);
    expect(error).toMatchObject({ code: 'unexpected', fault: 'system', message });
    expect(error.cause).toBe(value);
  });
});
