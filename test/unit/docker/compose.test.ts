import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { commands } from '../../../cli/commands.js';
import { readSecret } from '../../../config/environment.js';
import { roles } from '../../../config/queues.js';
import { packageRoot } from '../../../tools/package-root.js';
import { s3Server } from '../../../tools/s3-server.js';
import { parseWorkerArguments } from '../../../workers/command-line.js';
import { readCompose, repositoryFile } from '../../support/docker-files.js';
import { isPinned } from '../../support/dockerfile.js';

const compose = readCompose();
const services = Object.entries(compose.services);
const workers = services.filter(([, { command }]) => command[0] === 'worker');
const own = services.filter(([, { image }]) => image.startsWith('nightstill:'));

const isValid = new Ajv2020({ strict: false, validateFormats: false }).compile(
  JSON.parse(repositoryFile('test/fixtures/compose/compose-spec.json')) as object,
);

describe('the compose file', () => {
  it('is one by the schema of the Compose specification', () => {
    isValid(compose);
    expect(isValid.errors ?? []).toEqual([]);
  });

  it.each([
    ['an unknown key', { ...compose, service: {} }],
    ['a command of numbers', { services: { s3: { image: 'a', command: [1] } } }],
    ['a condition that is none', { services: { s3: { image: 'a', depends_on: { b: { condition: 'ready' } } } } }],
  ])('would be refused by it with %s', (_, bad) => {
    expect(isValid(bad)).toBe(false);
  });

  it.each(services)('pins the image of %s by its release', (_, { image }) => {
    expect(isPinned(image)).toBe(true);
  });

  it('runs the servers that the tests run', () => {
    const cli = /temporalio\/cli v(\S+)/.exec(repositoryFile('tools/temporal/go.mod'))?.[1];
    expect(compose.services['temporal']?.image).toBe(`temporalio/temporal:${cli}`);
    expect(compose.services['s3']?.image).toBe(`versity/versitygw:v${s3Server.version}`);
    const { version } = JSON.parse(repositoryFile('package.json')) as { version: string };
    expect([...new Set(own.map(([, { image }]) => image))]).toEqual([`nightstill:${version}`]);
  });

  it.each(services)('asks for the health of %s, or says why not', (_, service) => {
    const { healthcheck, 'x-no-healthcheck': reason } = service;
    if (reason === undefined) expect(healthcheck?.test?.[0]).toBe('CMD');
    else expect([healthcheck?.disable, reason.length > 20]).toEqual([true, true]);
  });

  it.each(own)('starts %s only when the servers are healthy', (_, { depends_on: needs = {} }) => {
    expect(needs).toEqual({ temporal: { condition: 'service_healthy' }, s3: { condition: 'service_healthy' } });
  });

  it('opens ports to this machine alone', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it.each(services)('declares and gives the volumes and secrets that %s uses', (_, service) => {
    const { secrets = [], volumes = [] } = service;
    const named = volumes.filter((volume) => /^[a-z]/.test(volume)).map((volume) => volume.split(':')[0]);
    expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(named));
    expect(Object.keys(compose.secrets)).toEqual(expect.arrayContaining([...secrets]));
    const read = [...JSON.stringify(service).matchAll(/\/run\/secrets\/([\w-]+)/g)].map(([, name = '']) => name);
    expect([...new Set(read)].toSorted()).toEqual(secrets.toSorted());
  });

  it('has secrets in files, and none in an environment', () => {
    for (const { file } of Object.values(compose.secrets))
      expect(file).toMatch(/^\$\{NIGHTSTILL_SECRETS:-\.\/secrets\}/);
    expect(repositoryFile('.gitignore').split('\n')).toContain('docker/secrets/');
    const variables = services.flatMap(([, { environment = {} }]) => Object.entries(environment));
    const secret = variables.filter(([name]) => /SECRET|KEY|TOKEN|PASSW|CREDENTIAL/.test(name));
    expect(secret.length).toBeGreaterThan(0);
    for (const [name, value] of secret)
      expect(value).toMatch(name.endsWith('_HOSTS') ? /^\$\{\w+:-\}$/ : /^\/run\/secrets\/[\w-]+$/);
    expect(variables.filter(([, value]) => /:\/\/[^/]*@/.test(value))).toEqual([]);
  });

  it("names the variables of a teacher's key as workers read them", () => {
    const given = Object.keys(compose.services['io']?.environment ?? {}).filter((name) => name.includes('SECRET'));
    const variables = {
      NIGHTSTILL_SECRET_TEACHER_KEY_FILE: join(packageRoot(), '.nvmrc'),
      NIGHTSTILL_SECRET_TEACHER_KEY_HOSTS: 'teacher.internal',
    };
    expect(given).toEqual(Object.keys(variables));
    expect(readSecret('teacher-key', variables)?.hosts).toEqual(['teacher.internal']);
    const others = workers.filter(([name]) => name !== 'io').flatMap(([, { secrets }]) => secrets);
    expect(others).not.toContain('teacher-key');
  });

  it('has a worker of each role, which is asked whether it serves that role', () => {
    const served = workers.map(([name, { command, healthcheck }]) => {
      const { roles: found } = parseWorkerArguments(command.slice(1));
      expect(healthcheck?.test).toEqual(['CMD', 'node', 'dist/docker/worker-health.js', name]);
      expect(found).toEqual([name]);
      return name;
    });
    expect(served.toSorted()).toEqual(roles.toSorted());
    expect(existsSync(join(packageRoot(), 'docker/worker-health.ts'))).toBe(true);
  });

  it('gives a worker more time to end than it gives its stages', () => {
    const usual = 60;
    for (const [, { stop_grace_period: period }] of workers) expect(parseInt(period ?? '0', 10)).toBeGreaterThan(usual);
  });

  it('has the command line beside them, started when it is called, on data that exists', () => {
    const tool = compose.services['nightstill'];
    expect(commands.map(({ name }) => name)).toContain(tool?.command[0]);
    const [folder = ''] = /\$\{NIGHTSTILL_DATA:-(.*?)\}/.exec(tool?.volumes?.[0] ?? '')?.slice(1) ?? [];
    expect(existsSync(join(packageRoot(), 'docker', folder, 'first/distill.yaml'))).toBe(true);
    expect(compose.services['io']?.volumes).toEqual(tool?.volumes);
  });
});
