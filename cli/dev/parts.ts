/** The real parts of a local run, brought on first use with a line of progress; nothing is said where they are there. */
import { readEnvironment, type Variables } from '../../config/environment.js';
import { providePart, type Part } from '../../tools/part.js';
import { createReporter } from '../../tools/progress.js';
import { requireParts } from '../../tools/setup.js';
import { temporalServer } from '../../tools/temporal-server.js';
import { tensorflow } from '../../tools/tensorflow.js';

export interface LocalParts {
  /** Absolute path of `temporal`. */
  readonly temporalBinary: string;
}

/**
 * Without TensorFlow a plan may still run on wasm: that it is missing is said by the stage that wants it.
 * @throws setup-part-failed
 */
export async function provideLocalParts(variables: Variables, needsTensorflow: boolean): Promise<LocalParts> {
  const own = { ...variables, TEMPORAL_ADDRESS: undefined };
  const context = {
    environment: readEnvironment(own),
    variables: own,
    reporter: createReporter(process.stderr),
    verify: false,
  };
  const outcome = await providePart(temporalServer, context);
  requireParts([outcome]);
  const optional: readonly Part[] = needsTensorflow ? [tensorflow] : [];
  for (const part of optional) await providePart(part, context);
  return { temporalBinary: outcome.found?.location ?? '' };
}
