/** JSON files of model directories: what cannot be parsed is an error that names the file. */
import { NightstillError } from '../../config/errors.js';

/** @throws model-config-invalid */
export function parseJsonFile(text: string, source: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch (cause) {
    throw new NightstillError('model-config-invalid', `${source}: expected JSON, found something else.`, { cause });
  }
}
