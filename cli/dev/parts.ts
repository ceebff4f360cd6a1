/** The real parts of a local run, brought on first use with a line of progress; nothing is said where they are there. */
import { readEnvironment, type Variables } from '../../config/environment.js';
import { NightstillError } from '../../config/errors.js';
import { providePart, type Outcome, type SetupContext } from '../../tools/part.js';
import { createReporter } from '../../tools/progress.js';
import { requireParts } from '../../tools/setup.js';
import { temporalServer } from '../../tools/temporal-server.js';
import { tensorflow } from '../../tools/tensorflow.js';
import type { TensorflowNeed } from '../plan/tensorflow-need.js';

export interface LocalParts {
  /** Absolute path of `temporal`. */
  readonly temporalBinary: string;
}

/**
 * @throws setup-part-failed without a Temporal server; numerics-unavailable without a TensorFlow that is needed: now, and not
 * after answers were paid for
 */
export async function provideLocalParts(variables: Variables, need: TensorflowNeed): Promise<LocalParts> {
  const own = { ...variables, TEMPORAL_ADDRESS: undefined };
  const context = {
    environment: readEnvironment(own),
    variables: own,
    reporter: createReporter(process.stderr),
    verify: false,
  };
  const server = await providePart(temporalServer, context);
  requireParts([server]);
  if (need !== 'none') await tellMissing(await providePart(tensorflow, context), need, context);
  return { temporalBinary: server.found?.location ?? '' };
}

async function tellMissing(
  { part, found, refusals }: Outcome,
  need: Exclude<TensorflowNeed, 'none'>,
  { reporter }: SetupContext,
): Promise<void> {
  if (found !== undefined) return;
  if (need === 'unknown') return reporter.line(`${part.name}: none here: ${wayWithoutIt}`);
  if (!(await need()))
    return reporter.line(`${part.name}: none here, and none is needed: what it would compute is reused`);
  const reasons = refusals.map(({ source, why }) => `${source}: ${why}`).join('; ');
  throw new NightstillError(
    'numerics-unavailable',
    `expected TensorFlow ${part.version}, which the plan computes with, found none for this machine (${reasons}); ` +
      'with other numerics, nothing that was computed before is reused',
  );
}

const wayWithoutIt = 'plans run with `numerics: { runner: wasm }`, several times slower';
