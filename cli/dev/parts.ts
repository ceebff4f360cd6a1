/** The real parts of a local run, brought on first use with a line of progress; nothing is said where they are there. */
import { readEnvironment, type Variables } from '../../config/environment.js';
import { NightstillError } from '../../config/errors.js';
import { describeRefusals, providePart, type Outcome } from '../../tools/part.js';
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
 * @throws setup-part-failed without a Temporal server; numerics-unavailable without the TensorFlow that is needed, of its release:
 *   now, and not after answers were paid for
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
  if (need !== 'none') {
    const outcome = await providePart(tensorflow, context);
    if (need !== 'unknown') await requireTensorflow(outcome, need);
    if (outcome.found === undefined)
      context.reporter.line(`${tensorflow.name}: none here: ${need === 'unknown' ? wayWithoutIt : noneNeeded}`);
  }
  return { temporalBinary: server.found?.location ?? '' };
}

/** @throws numerics-unavailable where what will be computed needs another release than the one that is here, or none is here */
async function requireTensorflow(outcome: Outcome, need: Exclude<TensorflowNeed, string>): Promise<void> {
  const here = outcome.found?.version;
  const missing = await need(here);
  if (missing.length === 0) return;
  const found = here ?? `none for this machine (${describeRefusals(outcome)})`;
  throw new NightstillError(
    'numerics-unavailable',
    `expected TensorFlow ${missing.join(' and ')}, which the plan computes with, found ${found}; ` +
      'with other numerics, nothing that was computed before is reused',
  );
}

const wayWithoutIt = 'plans run with `numerics: { runner: wasm }`, several times slower';
const noneNeeded = 'none is needed: what it would compute is reused';
