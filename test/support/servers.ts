/**
 * The executables of the real servers, as set-up finds them. Tests start and kill servers of their own, so a server that
 * runs already (TEMPORAL_ADDRESS) is not used.
 */
import { readEnvironment } from '../../config/environment.js';
import { describeRefusals, findPart, type Part } from '../../tools/part.js';
import { silentReporter } from '../../tools/progress.js';
import { s3Server } from '../../tools/s3-server.js';
import { temporalServer } from '../../tools/temporal-server.js';

/** Absolute path of `temporal`. */
export const temporalBinary = (): Promise<string> => binaryOf(temporalServer);

/** Absolute path of `versitygw`. */
export const s3ServerBinary = (): Promise<string> => binaryOf(s3Server);

async function binaryOf(part: Part): Promise<string> {
  const variables = { ...process.env, TEMPORAL_ADDRESS: undefined };
  const environment = readEnvironment(variables);
  const outcome = await findPart(part, { environment, variables, reporter: silentReporter, verify: false });
  if (outcome.found !== undefined) return outcome.found.location;
  const reasons = describeRefusals(outcome);
  throw new Error(`expected ${part.name} to be set up, found none (${reasons}); run: npm run setup ${part.name}`);
}
