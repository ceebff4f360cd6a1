/**
 * Opens files that strangers named: a pipe or a device at their place is refused, not waited for. Texts are read only when they
 * are of a plausible size.
 */
import { constants, open, type FileHandle } from 'node:fs/promises';
import { NightstillError } from '../../config/errors.js';
import type { FailureCode } from '../../config/failures.js';

export interface RegularFile {
  readonly handle: FileHandle;
  readonly bytes: number;
}

/** @throws model-file-missing when there is no file that can be read. */
export async function openRegularFile(path: string): Promise<RegularFile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw missing(path, cause instanceof Error ? cause.message : 'none', cause);
  });
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw missing(path, 'something else');
    return { handle, bytes: status.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

const missing = (path: string, found: string, cause?: unknown): NightstillError =>
  new NightstillError('model-file-missing', `Expected a file that can be read at ${path}, found ${found}.`, { cause });

export interface TextLimits {
  /** Default: 64 MiB. */
  readonly maximumBytes?: number;
  /** What a larger file is, or one that is no text. Default: model-config-invalid. */
  readonly otherwise?: FailureCode;
}

const defaultMaximumBytes = 64 * 1024 * 1024;

/** @throws model-file-missing, and the code of what is too large or no UTF-8. */
export async function readText(path: string, limits: TextLimits = {}): Promise<string> {
  const { maximumBytes = defaultMaximumBytes, otherwise = 'model-config-invalid' } = limits;
  const { handle, bytes } = await openRegularFile(path);
  try {
    if (bytes > maximumBytes)
      throw new NightstillError(otherwise, `${path}: expected at most ${maximumBytes} bytes, found ${bytes}.`);
    return decode(await handle.readFile(), path, otherwise);
  } finally {
    await handle.close();
  }
}

/** A byte order mark stays, for whoever reads the text to judge. */
function decode(bytes: Uint8Array, path: string, otherwise: FailureCode): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new NightstillError(otherwise, `${path}: expected UTF-8, found other bytes.`, { cause });
  }
}

/** The same of a file that need not be there: undefined when there is nothing of its name. */
export async function readOptionalText(path: string, limits?: TextLimits): Promise<string | undefined> {
  try {
    return await readText(path, limits);
  } catch (error) {
    if (error instanceof NightstillError && isAbsence(error.cause)) return undefined;
    throw error;
  }
}

const isAbsence = (cause: unknown): boolean => cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
