/** What file systems and S3 servers say, in the codes of the port: the answers that no server here can be made to give. */
import { writeFile } from 'node:fs/promises';
import { fileError } from '../../../storage/file-errors.js';
import { openObjectStore } from '../../../storage/index.js';
import { isRetryable, s3Error } from '../../../storage/s3-errors.js';
import { NightstillError } from '../../../config/errors.js';

const answer = (name: string, httpStatusCode?: number): Error =>
  Object.assign(new Error('the server says so'), { name, $metadata: { httpStatusCode, requestId: 'r1' } });
const errno = (code: string): Error => Object.assign(new Error(code), { code });
const operation = { store: 's3://bucket', operation: 'put', key: 'a/b' };

describe('answers of S3 servers', () => {
  it.each([
    ['NoSuchBucket', 404, 'store-missing', false],
    ['AccessDenied', 403, 'store-access-denied', false],
    ['403', 403, 'store-access-denied', false],
    ['ExpiredToken', 400, 'store-access-denied', false],
    ['SignatureDoesNotMatch', 403, 'store-access-denied', false],
    ['QuotaExceeded', 403, 'store-full', false],
    ['InsufficientStorage', 507, 'store-full', false],
    ['XMinioStorageFull', 507, 'store-full', false],
    ['PermanentRedirect', 301, 'store-url-invalid', false],
    ['AuthorizationHeaderMalformed', 400, 'store-url-invalid', false],
    ['ObjectParentIsFile', 409, 'object-key-invalid', false],
    ['XAmzContentSHA256Mismatch', 400, 'object-body-invalid', true],
    ['BadDigest', 400, 'store-unavailable', true],
    ['IncompleteBody', 400, 'store-unavailable', true],
    ['RequestTimeout', 400, 'store-unavailable', true],
    ['ConditionalRequestConflict', 409, 'store-unavailable', true],
    ['SlowDown', 503, 'store-unavailable', true],
    ['TooManyRequests', 429, 'store-unavailable', true],
    ['InternalError', 500, 'store-unavailable', true],
    ['SyntaxError', 200, 'store-unavailable', true],
    ['NotImplemented', 501, 'store-unavailable', false],
    ['WhateverComesNext', 400, 'store-unavailable', false],
  ])('%s (%i) is %s', (name, status, code, retried) => {
    const error = answer(name, status);
    expect(s3Error(error, operation, 3)).toMatchObject({
      code,
      cause: error,
      details: { ...operation, requestId: 'r1', httpStatus: status, attempts: 3 },
    });
    expect(isRetryable(error)).toBe(retried);
  });

  it.each([
    ['ECONNRESET', true],
    ['ECONNREFUSED', true],
    ['EPIPE', true],
    ['EAI_AGAIN', true],
    ['ERR_INVALID_ARG_TYPE', false],
  ])('a connection that ends with %s is store-unavailable', (code, retried) => {
    expect(s3Error(errno(code), operation)).toMatchObject({ code: 'store-unavailable', details: { httpStatus: null } });
    expect(isRetryable(errno(code))).toBe(retried);
  });

  it.each([
    ['putIfAbsent', 'PreconditionFailed', 412, 'object-exists'],
    ['putIfMatch', 'PreconditionFailed', 412, 'object-changed'],
    ['putIfMatch', 'NoSuchKey', 404, 'object-changed'],
    ['putIfMatch', 'XAdminUserNotFound', 404, 'store-access-denied'],
    ['get', 'NoSuchKey', 404, 'object-missing'],
    ['describe', 'NotFound', 404, 'object-missing'],
    ['put', 'NoSuchUpload', 404, 'store-unavailable'],
    ['get', 'InvalidRange', 416, 'object-range-invalid'],
  ])('%s answered with %s (%i) is %s', (name, refusal, status, code) => {
    expect(s3Error(answer(refusal, status), { ...operation, operation: name })).toMatchObject({ code });
  });

  it('a bucket that is gone is no lost race', () => {
    expect(s3Error(answer('NoSuchBucket', 404), { ...operation, operation: 'putIfMatch' })).toMatchObject({
      code: 'store-missing',
    });
  });

  it('whatever is thrown becomes a coded error', () => {
    for (const thrown of [undefined, null, 7, 'text', {}, [], { $metadata: 7 }, { name: 5, message: {} }]) {
      expect(s3Error(thrown, operation)).toMatchObject({ code: 'store-unavailable' });
      expect(isRetryable(thrown)).toBe(false);
    }
    const ours = new NightstillError('fence-lost', 'ours');
    expect(s3Error(ours, operation)).toBe(ours);
  });
});

describe('an SDK that is not configured', () => {
  const environment = process.env;
  beforeEach(() => {
    const { PATH } = environment;
    const nothing = '/dev/null';
    process.env = {
      ...(PATH === undefined ? {} : { PATH }),
      AWS_CONFIG_FILE: nothing,
      AWS_SHARED_CREDENTIALS_FILE: nothing,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  });
  afterEach(() => {
    process.env = environment;
  });

  it.each([
    ['region', 's3://bucket?endpoint=http://127.0.0.1:9', 'store-url-invalid', /region=/],
    ['credentials', 's3://bucket?region=us-east-1&endpoint=http://127.0.0.1:9', 'store-access-denied', /credentials/],
  ])('without %s is no fault that passes', async (_, url, code, message) => {
    await expect(openObjectStore(url, { forWriting: true })).rejects.toMatchObject({
      code,
      retryable: false,
      message: expect.stringMatching(message),
    });
  });
});

describe('answers of file systems', () => {
  it('a full disk is store-full', async () => {
    const error: unknown = await writeFile('/dev/full', 'x').catch((thrown: unknown) => thrown);
    expect(fileError(error, operation)).toMatchObject({
      code: 'store-full',
      details: { ...operation, errno: 'ENOSPC' },
    });
  });

  it.each([
    ['EDQUOT', 'store-full'],
    ['EACCES', 'store-access-denied'],
    ['EPERM', 'store-access-denied'],
    ['EROFS', 'store-access-denied'],
    ['EIO', 'store-unavailable'],
    ['EMFILE', 'store-unavailable'],
  ])('%s is %s', (code, expected) => {
    expect(fileError(errno(code), operation)).toMatchObject({ code: expected, details: { errno: code } });
  });
});
