/** What the file system answers to whoever writes, such as a full disk, as an error with a code and the path that was wanted. */
import { hasCode, NightstillError } from '../../config/errors.js';

/** An error of the operating system as output-failed; every other one as it is. */
export function outputError(path: string, error: unknown): unknown {
  if (hasCode(error) || !(error instanceof Error) || !('errno' in error)) return error;
  return new NightstillError('output-failed', `Expected to write ${path}, found ${error.message}.`, { cause: error });
}

/** @throws output-failed when the operating system refuses; else what `write` throws. */
export async function writing<Result>(path: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    throw outputError(path, error);
  }
}
