/**
 * Store URLs: `file:///absolute/dir` and `s3://bucket/prefix?region=…&endpoint=…&forcePathStyle=…`.
 * Credentials never stand in a URL, because URLs travel through plans, histories and logs. What is refused is not echoed:
 * a URL that was refused may hold a secret.
 */
import { fileURLToPath } from 'node:url';
import { NightstillError } from '../config/errors.js';
import { isValidKey } from './keys.js';

export type StoreLocation =
  { readonly kind: 'file'; readonly directory: string } | ({ readonly kind: 's3' } & S3Location);

export interface S3Location {
  readonly bucket: string;
  /** Stands before every key, without slashes at its ends; '' for none. */
  readonly prefix: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly forcePathStyle?: boolean;
}

/** S3 keys hold 1024 bytes, ours 900 of them. */
const longestPrefix = 120;
const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const regionPattern = /^[a-z0-9-]{1,40}$/;

/** @throws store-url-invalid */
export function parseStoreUrl(text: string): StoreLocation {
  if (!URL.canParse(text)) throw invalid('a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw invalid('no credentials in the URL (use those of the AWS SDK)');
  if (url.hash !== '') throw invalid('no fragment');
  if (url.protocol === 'file:' && text.startsWith('file://')) return { kind: 'file', directory: directoryOf(url) };
  if (url.protocol === 's3:' && text.startsWith('s3://')) return { kind: 's3', ...s3LocationOf(url) };
  throw invalid('a URL that begins with file:// or s3://');
}

/** The URL of a location, always written the same way. */
export function formatS3Url({ bucket, prefix, region, endpoint, forcePathStyle }: S3Location): string {
  const query = new URLSearchParams();
  if (region !== undefined) query.set('region', region);
  if (endpoint !== undefined) query.set('endpoint', endpoint);
  if (forcePathStyle !== undefined) query.set('forcePathStyle', String(forcePathStyle));
  return `s3://${bucket}${prefix && `/${prefix}`}${query.size > 0 ? `?${query.toString()}` : ''}`;
}

function directoryOf(url: URL): string {
  if (url.host !== '') throw invalid('file:///dir with three slashes');
  if (url.search !== '') throw invalid('no query in a file URL');
  let directory: string;
  try {
    directory = fileURLToPath(url);
  } catch (cause) {
    throw invalid('a path that this operating system can hold', cause);
  }
  directory = directory.replace(/\/+$/, '');
  if (directory === '' || directory.includes('\0')) throw invalid('a directory below the root of the file system');
  return directory;
}

function s3LocationOf(url: URL): S3Location {
  const prefix = url.pathname.replace(/^\//, '').replace(/\/$/, '');
  if (url.port !== '' || !bucketPattern.test(url.hostname)) throw invalid('the name of a bucket after s3://');
  if (prefix !== '' && (!isValidKey(prefix) || prefix.length > longestPrefix)) {
    throw invalid(`a prefix of at most ${longestPrefix} characters that is a valid key`);
  }
  const query = parametersOf(url.searchParams);
  const { region, endpoint, forcePathStyle } = query;
  if (region !== undefined && !regionPattern.test(region)) throw invalid('a region such as eu-central-1');
  if (forcePathStyle !== undefined && forcePathStyle !== 'true' && forcePathStyle !== 'false') {
    throw invalid('forcePathStyle=true or forcePathStyle=false');
  }
  return {
    bucket: url.hostname,
    prefix,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint: endpointOf(endpoint) }),
    ...(forcePathStyle === undefined ? {} : { forcePathStyle: forcePathStyle === 'true' }),
  };
}

type Parameter = 'region' | 'endpoint' | 'forcePathStyle';

function parametersOf(query: URLSearchParams): { readonly [name in Parameter]?: string } {
  const found: { [name in Parameter]?: string } = {};
  for (const [name, value] of query) {
    if (name !== 'region' && name !== 'endpoint' && name !== 'forcePathStyle') {
      throw invalid('no query parameters but region, endpoint and forcePathStyle');
    }
    if (found[name] !== undefined) throw invalid(`${name} once`);
    found[name] = value;
  }
  return found;
}

function endpointOf(text: string): string {
  const endpoint = URL.canParse(text) ? new URL(text) : undefined;
  if (endpoint === undefined || !['http:', 'https:'].includes(endpoint.protocol)) throw invalid('an http(s) endpoint');
  if (endpoint.username !== '' || endpoint.password !== '') throw invalid('no credentials in the endpoint');
  if (endpoint.search !== '' || endpoint.hash !== '') throw invalid('an endpoint without query and fragment');
  return endpoint.href.replace(/\/+$/, '');
}

const invalid = (expected: string, cause?: unknown): NightstillError =>
  new NightstillError('store-url-invalid', `Store URL: expected ${expected}`, cause === undefined ? {} : { cause });
