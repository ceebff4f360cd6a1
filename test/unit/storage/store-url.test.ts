import fc from 'fast-check';
import { openObjectStore } from '../../../storage/index.js';
import { formatS3Url, parseStoreUrl } from '../../../storage/store-url.js';

const refused = expect.objectContaining({ code: 'store-url-invalid' });

describe('store URLs', () => {
  it('name a directory', () => {
    expect(parseStoreUrl('file:///data/night%20store/')).toEqual({ kind: 'file', directory: '/data/night store' });
  });

  it('name a bucket, with a prefix and how to reach it', () => {
    const url = 's3://bucket/a/b/?forcePathStyle=true&endpoint=http://127.0.0.1:9000/&region=eu-central-1';
    expect(parseStoreUrl(url)).toEqual({
      kind: 's3',
      bucket: 'bucket',
      prefix: 'a/b',
      region: 'eu-central-1',
      endpoint: 'http://127.0.0.1:9000',
      forcePathStyle: true,
    });
    expect(parseStoreUrl('s3://bucket')).toEqual({ kind: 's3', bucket: 'bucket', prefix: '' });
  });

  it.each([
    'file://host/dir',
    'file:///',
    'file:relative',
    'file:///a?b=c',
    'file:///a#b',
    'file:///a%00b',
    'file:///a%2Fb',
    '/data',
    'https://bucket',
    's3:bucket',
    's3://',
    's3://Bucket_',
    's3://bucket:80',
    's3://bucket/a//b',
    's3://bucket/a b',
    `s3://bucket/${'x'.repeat(121)}`,
    's3://bucket?regoin=eu-central-1',
    's3://bucket?region=',
    's3://bucket?region=a&region=b',
    's3://bucket?forcePathStyle=yes',
    's3://bucket?endpoint=ftp://host',
    's3://bucket?endpoint=http://host?x=y',
    's3://bucket#a',
  ])('%s is refused', async (url) => {
    expect(() => parseStoreUrl(url)).toThrow(refused);
    await expect(openObjectStore(url)).rejects.toEqual(refused);
  });

  it.each([
    's3://key:SECRET@bucket',
    's3://SECRET@bucket',
    's3://bucket?secretAccessKey=SECRET',
    's3://bucket?SECRET=1',
    's3://bucket?endpoint=http://key:SECRET@host',
    's3://bucket?endpoint=http://host?key=SECRET',
    's3://bucket?region=SECRET%20',
    's3://bucket?forcePathStyle=SECRET',
    'file://key:SECRET@/dir',
    'sftp://key:SECRET@host',
    'SECRET',
  ])('what is refused is not repeated: %s', (url) => {
    try {
      parseStoreUrl(url);
    } catch (error) {
      expect(error).toEqual(refused);
      expect(JSON.stringify([error, String(error)])).not.toContain('SECRET');
      return;
    }
    throw new Error('expected the URL to be refused');
  });

  it('any string is a location or refused with a code', () => {
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom(
        's3://',
        'file://',
        '/',
        '?',
        '&',
        'region=',
        'endpoint=',
        '@',
        ':',
        '%',
        '#',
        'bucket',
        'http://',
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(part).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            parseStoreUrl(text);
          } catch (error) {
            expect(error).toEqual(refused);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('what is written is read back', () => {
    const location = fc.record(
      {
        bucket: fc.stringMatching(/^[a-z0-9]{3,20}$/),
        prefix: fc.stringMatching(/^([a-z0-9=_-]{1,9}(\/[a-z0-9=_-]{1,9}){0,3})?$/),
        region: fc.stringMatching(/^[a-z0-9-]{1,20}$/),
        endpoint: fc
          .webUrl({ withQueryParameters: false, withFragments: false })
          .map((url) => new URL(url).href.replace(/\/+$/, '')),
        forcePathStyle: fc.boolean(),
      },
      { requiredKeys: ['bucket', 'prefix'] },
    );
    fc.assert(
      fc.property(location, (given) => {
        expect(parseStoreUrl(formatS3Url(given))).toEqual({ kind: 's3', ...given });
      }),
    );
  });
});
