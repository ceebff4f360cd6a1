/** Where the key of a teacher may go is the worker's to say; the plan chooses the endpoint. */
import { teacherKey } from '../../../activities/teacher-key.js';
import { teacherEndpointSchema } from '../../../config/teacher-schema.js';

const keyFor = (endpoint: string, hosts: string, value = 'canary-key'): string | undefined => {
  const terms = { licence: 'MIT', allowsTraining: 'yes' };
  const plan = { endpoint, model: 'large', revision: '1', apiKey: 'teacher', terms, plainHttp: true };
  const variables = { NIGHTSTILL_SECRET_TEACHER: value, NIGHTSTILL_SECRET_TEACHER_HOSTS: hosts };
  return teacherKey(teacherEndpointSchema.parse(plan), variables);
};

describe('the key of a teacher', () => {
  it.each([
    ['https://host/v1', 'host'],
    ['https://host:443/v1', 'other, HOST'],
    ['https://host/v1', 'host:443'],
    ['https://host:8443/v1', 'host:8443'],
    ['http://127.0.0.1:8000/v1', '127.0.0.1'],
    ['http://[::1]:8000/v1', '[::1]'],
    ['http://localhost/v1', 'localhost:80'],
    ['http://host:8000/v1', 'http://host:8000'],
    ['http://host/v1', 'http://host:80'],
  ])('goes to %s where %s is named', (endpoint, hosts) => expect(keyFor(endpoint, hosts)).toBe('canary-key'));

  it.each([
    ['https://host/v1', '', 'host'],
    ['https://other/v1', 'host', 'other'],
    ['https://host:8443/v1', 'host', 'host:8443'],
    ['https://host:8443/v1', 'host:443', 'host:8443'],
    ['https://host/v1', 'host:80', 'host'],
    ['http://host/v1', 'host', 'http://host:80'],
    ['http://host:8000/v1', 'host:8000', 'http://host:8000'],
    ['http://host:443/v1', 'host', 'http://host:443'],
    ['http://host:8001/v1', 'http://host:8000', 'http://host:8001'],
    ['http://127.0.0.1.host/v1', '127.0.0.1', 'http://127.0.0.1.host:80'],
  ])('does not go to %s where %j is named, and the failure says what to name', (endpoint, hosts, named) => {
    const message = expect.stringContaining(`expected ${named} among the hosts of NIGHTSTILL_SECRET_TEACHER_HOSTS`);
    expect(() => keyFor(endpoint, hosts)).toThrow(expect.objectContaining({ code: 'secret-host-refused', message }));
    expect(keyFor(endpoint, named)).toBe('canary-key');
  });

  it.each(['canary\nkey', 'canary\r\nX-Header: key', 'canary\u0000key', 'canary-kéy'])(
    'that is no text of one line is refused, and not repeated: %j',
    (value) => {
      const message = expect.not.stringContaining('canary');
      expect(() => keyFor('https://host/v1', 'host', value)).toThrow(
        expect.objectContaining({ code: 'environment-invalid', message }),
      );
    },
  );
});
