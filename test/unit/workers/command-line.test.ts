import { isUsageError } from '../../../config/errors.js';
import { parseWorkerArguments } from '../../../workers/command-line.js';
import { freePort } from '../../support/free-port.js';
import { nodeProgram } from '../../support/nightstill.js';

const everyRole = ['orchestrator', 'io', 'gpu'];

describe('the command line of a worker', () => {
  it.each<[string, object]>([
    ['', { roles: everyRole }],
    ['--role gpu', { roles: ['gpu'] }],
    ['--role io,gpu,io', { roles: ['io', 'gpu'] }],
    ['--queue-prefix night', { roles: everyRole, queuePrefix: 'night' }],
    ['--queue-prefix=night --stages ./stages.js', { roles: everyRole, queuePrefix: 'night', stages: './stages.js' }],
    ['--data-converter ./codec.js', { roles: everyRole, dataConverter: './codec.js' }],
    ['--devices 0,1', { roles: everyRole, devices: ['0', '1'] }],
    ['--end-within 1.5', { roles: everyRole, endWithinMs: 1500 }],
  ])('"%s" is understood', (words, expected) => {
    expect(parseWorkerArguments(words.split(' ').filter(Boolean))).toEqual(expected);
  });

  it.each([
    '--queue-prefix',
    '--queue-prefix --dance',
    '--dance',
    'night',
    '--role cpu',
    '--role io,cpu',
    '--end-within soon',
    '--role ',
    '--role=,',
    '--role=\t',
    '--devices=',
    '--devices ,',
    '--stages=',
    '--queue-prefix=',
    '--end-within=',
  ])('"%s" is a mistake', (words) => {
    let thrown: unknown;
    try {
      parseWorkerArguments(words.split(' '));
    } catch (error) {
      thrown = error;
    }
    expect(isUsageError(thrown)).toBe(true);
  });

  it.each(['io', 'orchestrator'])('with a mistake ends the %s worker with 2 and what it understands', async (role) => {
    const { status, standardError } = await nodeProgram(`workers/${role}.js`, ['--queue', 'night'], process.env);
    expect(status).toBe(2);
    expect(standardError).toContain("Unknown option '--queue'");
    expect(standardError).toContain('--queue-prefix <prefix>');
  });

  it('may name a prefix: the worker goes on to its Temporal server', async () => {
    const variables = { ...process.env, TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` };
    const { status, standardError } = await nodeProgram('workers/io.js', ['--queue-prefix', 'night'], variables);
    expect(status).toBe(1);
    expect(standardError).toContain('temporal-unavailable');
  });
});
