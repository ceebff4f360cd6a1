/** What set-up has brought: which one would be used, and, from the sources that were asked before it, why. */
import type { DoctorCheck, Finding } from './doctor.js';
import { describeRefusals, findPart, type Outcome, type SetupContext } from './part.js';
import { s3Server } from './s3-server.js';
import { probeAddon } from './tensorflow-addon.js';
import { tensorflow } from './tensorflow.js';

export const partChecks = (context: SetupContext): readonly DoctorCheck[] => [
  { name: s3Server.name, required: false, run: async () => describeFound(await findPart(s3Server, context)) },
  { name: tensorflow.name, required: false, run: () => checkTensorflow(context) },
];

/** The finding for a part, by looking alone. */
export function describeFound(outcome: Outcome): Finding {
  const { part, found } = outcome;
  const reasons = describeRefusals(outcome);
  if (found === undefined) {
    return {
      status: 'missing',
      detail: `${part.purpose}: none`,
      why: reasons,
      remedy: `Run: nightstill setup ${part.name}`,
    };
  }
  return {
    status: 'ok',
    detail: `${found.version}, ${found.location}`,
    why: `from ${found.from}${reasons === '' ? ': asked first' : `; before it, ${reasons}`}`,
  };
}

async function checkTensorflow(context: SetupContext): Promise<Finding> {
  const outcome = await findPart(tensorflow, context);
  const finding = describeFound(outcome);
  if (outcome.found === undefined) {
    return {
      ...finding,
      detail: 'not installed: a plan runs here with numerics: { runner: wasm }, several times slower',
    };
  }
  try {
    const { tensorflow: release, gpu } = await probeAddon(outcome.found.location, context);
    const device = gpu ? 'GPU' : 'processor';
    return {
      ...finding,
      detail: `libtensorflow ${release} loads and multiplies on the ${device}, ${outcome.found.location}`,
    };
  } catch (error) {
    return {
      status: 'failed',
      detail: error instanceof Error ? error.message : String(error),
      why: finding.why,
      remedy: `Run: nightstill setup --verify ${tensorflow.name}`,
    };
  }
}
