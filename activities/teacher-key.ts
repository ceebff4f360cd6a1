/** The key of a teacher: a plan names it, the worker has it and says to which hosts it may go. It goes to no other. */
import { readSecret, secretVariable, type Variables } from '../config/environment.js';
import { NightstillError } from '../config/errors.js';
import type { TeacherEndpoint } from '../config/teacher-schema.js';

/** @throws secret-missing, secret-host-refused, environment-invalid */
export function teacherKey({ apiKey, endpoint }: TeacherEndpoint, variables?: Variables): string | undefined {
  if (apiKey === undefined) return undefined;
  const variable = secretVariable(apiKey);
  const secret = readSecret(apiKey, variables);
  if (secret === undefined)
    throw new NightstillError(
      'secret-missing',
      `secret ${apiKey}: expected ${variable} or ${variable}_FILE in the environment of this worker, found neither`,
    );
  const { host, hostname } = new URL(endpoint);
  if (secret.hosts.includes(host) || secret.hosts.includes(hostname)) return secret.value;
  throw new NightstillError(
    'secret-host-refused',
    `secret ${apiKey}: expected ${host} among the hosts of ${variable}_HOSTS, found ${secret.hosts.join(', ') || 'none'}`,
  );
}
