import { isUsageError } from '../../../config/errors.js';
import { queuePrefixArgument } from '../../../workers/command-line.js';
import { freePort } from '../../support/free-port.js';
import { nodeProgram } from '../../support/nightstill.js';

const parse = (...words: readonly string[]) => queuePrefixArgument(['node', 'worker.js', ...words]);

describe('the command line of a worker', () => {
  it.each([
    [[], 'nightstill'],
    [['--queue-prefix', 'night'], 'night'],
    [['--queue-prefix=night'], 'night'],
  ])('%j polls the queues of %s', (words, prefix) => {
    expect(parse(...words)).toBe(prefix);
  });

  it.each([[['--queue-prefix']], [['--queue-prefix', '--dance']], [['--dance']], [['night']]])(
    '%j is a mistake',
    (words) => {
      let thrown: unknown;
      try {
        parse(...words);
      } catch (error) {
        thrown = error;
      }
      expect(isUsageError(thrown)).toBe(true);
    },
  );

  it.each(['io', 'orchestrator'])('with a mistake ends the %s worker with 2 and what it understands', async (role) => {
    const { status, standardError } = await nodeProgram(`workers/${role}.js`, ['--queue', 'night'], process.env);
    expect(status).toBe(2);
    expect(standardError).toContain("Unknown option '--queue'");
    expect(standardError).toContain('[--queue-prefix <prefix>]');
  });

  it('may name a prefix: the worker goes on to its Temporal server', async () => {
    const variables = { ...process.env, TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` };
    const { status, standardError } = await nodeProgram('workers/io.js', ['--queue-prefix', 'night'], variables);
    expect(status).toBe(1);
    expect(standardError).toContain('temporal-unavailable');
  });
});
