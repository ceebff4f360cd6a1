/** Options that name data outside the store, as a plan may write them. Credentials have no place in a URL. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

/** An absolute path, or a file:// or s3:// URL; always a URL when parsed. */
export const sourceUrlSchema = z
  .string()
  .transform((text) => (isAbsolute(text) ? pathToFileURL(text).href : text))
  .refine(isSourceUrl, 'an absolute path, or a file:// or s3:// URL without credentials');

function isSourceUrl(text: string): boolean {
  if (!/^(file:\/\/\/|s3:\/\/)/.test(text) || !URL.canParse(text)) return false;
  const { username, password, pathname } = new URL(text);
  return username === '' && password === '' && pathname.length > 1;
}
