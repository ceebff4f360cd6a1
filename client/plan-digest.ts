/**
 * What is judged of a plan before it leaves this process, where no stage kind is known: that it is JSON, and that no URL in it
 * carries credentials. Whatever starts a run stays in Temporal's history, so a refusal by the run itself would come too late.
 */
import { carriesCredentials } from '../config/credentials.js';
import { NightstillError } from '../config/errors.js';
import { canonicalJson, type Json } from '../storage/canonical-json.js';
import { digestOf, type Digest } from '../storage/digest.js';

/**
 * The digest by which two starts of one run id agree. Nothing of a refused plan is repeated.
 * @throws plan-invalid
 */
export function planDigestOf(file: Json): Digest {
  const text = textOf(file);
  refuseCredentials(file);
  return digestOf(text);
}

function textOf(file: Json): string {
  try {
    return canonicalJson(file);
  } catch (cause) {
    throw new NightstillError('plan-invalid', 'the plan: expected JSON, found what JSON cannot say', { cause });
  }
}

function refuseCredentials(value: Json | undefined): void {
  if (typeof value === 'string' && carriesCredentials(value))
    throw new NightstillError('plan-invalid', 'the plan: expected URLs without credentials, found one that has them');
  if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) refuseCredentials(member);
}
