import { sayUnreachable } from '../../../config/unreachable.js';

describe('a server that is not reached', () => {
  it.each([
    ['No connection established. Last error: connect ECONNREFUSED 127.0.0.1:9', 'it refuses the connection'],
    ['Deadline exceeded after 10.001s,Last error: Error: connect ECONNREFUSED ::1:9', 'it refuses the connection'],
    ['transport error: tcp connect error: Connection refused (os error 111)', 'it refuses the connection'],
    ['Name resolution failed for target dns:nowhere.invalid:7233', 'its name is not resolved'],
    ['dns error: failed to lookup address information: Name or service not known', 'its name is not resolved'],
    [
      'unable to get local issuer certificate\n  at TLSSocket',
      'TLS is refused: unable to get local issuer certificate',
    ],
    ['Deadline exceeded after 0.001s', 'no answer in time'],
    ['context deadline exceeded', 'no answer in time'],
    ['Failed to connect before the deadline', 'no answer in time'],
    ['namespace rate limit exceeded', 'namespace rate limit exceeded'],
    ['', 'no answer'],
  ])('is told in words of its user: %s', (said, words) => {
    expect(sayUnreachable(said)).toBe(words);
  });
});
