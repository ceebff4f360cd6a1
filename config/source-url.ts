/** How a plan names data outside the store. Credentials have no place in a URL. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { carriesCredentials } from './credentials.js';

const place = 'an absolute path, or a file:// or s3:// URL';
const absolute = `${place} (the command line makes relative paths absolute before it sends a plan)`;

/** An absolute path, or a file:// or s3:// URL; always a URL when parsed. */
export const sourceUrlSchema = z
  .string({ error: place })
  .transform((text) => (isAbsolute(text) ? pathToFileURL(text).href : text))
  .refine(isSourceUrl, absolute);

function isSourceUrl(text: string): boolean {
  if (!/^(file:\/\/\/|s3:\/\/)/.test(text) || !URL.canParse(text)) return false;
  return !carriesCredentials(text) && new URL(text).pathname.length > 1;
}
