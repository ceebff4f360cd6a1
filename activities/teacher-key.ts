/** The key of a teacher: a plan names it, the worker has it and says to which hosts it may go. It goes to no other. */
import { readSecret, secretVariable, type Variables } from '../config/environment.js';
import { NightstillError } from '../config/errors.js';
import { isLoopback, type TeacherEndpoint } from '../config/teacher-schema.js';

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
  const url = new URL(endpoint);
  if (secret.hosts.some((host) => allows(host, url))) return secret.value;
  const { protocol, hostname, port } = url;
  const named = `${isPlain(url) ? `${protocol}//` : ''}${hostname}${port || isPlain(url) ? `:${portOf(url)}` : ''}`;
  throw new NightstillError(
    'secret-host-refused',
    `secret ${apiKey}: expected ${named} among the hosts of ${variable}_HOSTS, found ${secret.hosts.join(', ') || 'none'}`,
  );
}

/**
 * Scheme and port are the choice of whoever wrote the plan, and another port is another program: a bare host stands for https
 * there, on the port of https. On this machine it stands for every port.
 */
function allows(host: string, url: URL): boolean {
  const address = `${url.hostname}:${portOf(url)}`;
  if (isPlain(url)) return host === `http://${address}`;
  if (host === address) return true;
  return host === url.hostname && (isLoopback(url) || address.endsWith(':443'));
}

/** Over the network without encryption. */
const isPlain = (url: URL): boolean => url.protocol === 'http:' && !isLoopback(url);

const portOf = ({ protocol, port }: URL): string => port || (protocol === 'https:' ? '443' : '80');
