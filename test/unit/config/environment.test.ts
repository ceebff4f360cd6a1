import { homedir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment, showsStacks, type Environment } from '../../../config/environment.js';

describe('the environment', () => {
  it('has a value for everything when no variable is set', () => {
    expect(readEnvironment({})).toEqual({
      cacheDirectory: join(homedir(), '.cache', 'nightstill'),
      python: 'python3',
    });
  });

  const readable: [string, string, Partial<Environment>][] = [
    ['NIGHTSTILL_CACHE', '/cache', { cacheDirectory: '/cache' }],
    ['XDG_CACHE_HOME', '/home/cache', { cacheDirectory: '/home/cache/nightstill' }],
    ['TEMPORAL_ADDRESS', 'temporal.example:7233', { temporalAddress: 'temporal.example:7233' }],
    ['NIGHTSTILL_TENSORFLOW', '/opt/libtensorflow', { tensorflowDirectory: '/opt/libtensorflow' }],
    ['NIGHTSTILL_TENSORFLOW_BUILD', 'cpu', { tensorflowBuild: 'cpu' }],
    ['NIGHTSTILL_TENSORFLOW_BUILD', 'gpu', { tensorflowBuild: 'gpu' }],
    ['NIGHTSTILL_STORE', 's3://bucket', { storeUrl: 's3://bucket' }],
    ['NIGHTSTILL_TEST_STORE', 'file:///store', { testStoreUrl: 'file:///store' }],
    ['NIGHTSTILL_CORES', '6', { cores: 6 }],
    ['NIGHTSTILL_PYTHON', '/usr/bin/python3.12', { python: '/usr/bin/python3.12' }],
  ];

  it.each(readable)('reads %s=%s', (name, value, expected) => {
    expect(readEnvironment({ [name]: value })).toMatchObject(expected);
  });

  it('prefers its own cache variable to the one of the desktop', () => {
    expect(readEnvironment({ NIGHTSTILL_CACHE: '/own', XDG_CACHE_HOME: '/desktop' }).cacheDirectory).toBe('/own');
  });

  it('takes an empty variable for one that is not set, and ignores spaces around a value', () => {
    expect(readEnvironment({ NIGHTSTILL_STORE: ' ', TEMPORAL_ADDRESS: '' })).toEqual(readEnvironment({}));
    expect(readEnvironment({ NIGHTSTILL_STORE: ' file:///store ' }).storeUrl).toBe('file:///store');
  });

  it.each([
    ['NIGHTSTILL_CACHE', 'relative/cache'],
    ['NIGHTSTILL_CORES', '0'],
    ['NIGHTSTILL_CORES', 'many'],
    ['NIGHTSTILL_TENSORFLOW', './libtensorflow'],
    ['NIGHTSTILL_TENSORFLOW_BUILD', 'tpu'],
  ])('refuses %s=%s with a code and names both', (name, value) => {
    const read = (): Environment => readEnvironment({ [name]: value });
    expect(read).toThrow(expect.objectContaining({ code: 'environment-invalid' }));
    expect(read).toThrow(new RegExp(`${name}.*${value}`));
  });

  it('has stacks shown only where NIGHTSTILL_DEBUG is set', () => {
    expect([{}, { NIGHTSTILL_DEBUG: '' }, { NIGHTSTILL_DEBUG: '1' }].map(showsStacks)).toEqual([false, false, true]);
  });

  it('reads the process when it is given nothing', () => {
    expect(readEnvironment()).toEqual(readEnvironment(process.env));
  });
});
