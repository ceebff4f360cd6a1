/** Who may ask. Without a key the server listens on this machine alone, and answers everybody there. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Variables } from '../../config/environment.js';
import { NightstillError } from '../../config/errors.js';
import { ApiError } from './api-error.js';

export interface KeySource {
  /** Path of a file that holds the key and nothing else. */
  readonly file?: string | undefined;
  /** Name of a variable of the environment. */
  readonly variable?: string | undefined;
}

/** @throws serve-setting-invalid when a key was asked for and is not there */
export async function readApiKey({ file, variable }: KeySource, variables: Variables): Promise<string | undefined> {
  if (file !== undefined && variable !== undefined)
    throw invalid('expected --api-key-file or --api-key-env, found both');
  if (file === undefined && variable === undefined) return undefined;
  const place = file ?? `variable ${variable}`;
  const text = file === undefined ? variables[variable ?? ''] : await readFile(file, 'utf8').catch(() => undefined);
  const key = text?.trim() ?? '';
  if (key !== '' && !/\s/.test(key)) return key;
  throw invalid(`${place}: expected an API key, found ${text === undefined ? 'none' : 'an empty or broken one'}`);
}

/** @throws serve-setting-invalid for an address that others reach, without a key */
export function checkExposure(host: string, apiKey: string | undefined): void {
  if (isLoopback(host) || apiKey !== undefined) return;
  throw invalid(`--host ${host}: expected an API key for an address that other machines reach, found none`);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

const invalid = (message: string): NightstillError => new NightstillError('serve-setting-invalid', message);

/**
 * With a key: compared in constant time. Without one: the Host header must name this machine, or a web page could have its own domain
 * resolve to this address and let its scripts ask (DNS rebinding).
 * @throws ApiError 401, 403
 */
export function checkAuthorization({ headers }: IncomingMessage, apiKey: string | undefined): void {
  if (apiKey === undefined) return checkName(headers.host ?? '');
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(given), digest(apiKey))) return;
  throw new ApiError({
    status: 401,
    code: 'invalid_api_key',
    message: 'Expected the API key of this server as "Authorization: Bearer …", found none or another one.',
    headers: { 'www-authenticate': 'Bearer' },
  });
}

function checkName(host: string): void {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isLoopback(name)) return;
  throw new ApiError({
    status: 403,
    code: 'host_not_allowed',
    message: `Expected localhost or 127.0.0.1 as the host of a server without an API key, found ${host || 'none'}.`,
  });
}
