/** What docker/compose.yaml has Temporal run, and how the health of a worker is asked for, without containers. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { composeService } from '../support/docker-files.js';
import { freePort } from '../support/free-port.js';
import { endWithUs } from '../support/left-behind.js';
import { nodeProgram } from '../support/nightstill.js';
import { startProgram, until } from '../support/processes.js';
import { temporalBinary } from '../support/servers.js';
import { temporaryDirectory } from '../support/temporary.js';

const run = promisify(execFile);
const directory = temporaryDirectory();
let server: ChildProcess;
let address: string;

beforeAll(async () => {
  const { command, healthcheck } = composeService('temporal');
  const [, , ...health] = healthcheck?.test ?? [];
  const binary = await temporalBinary();
  address = `127.0.0.1:${await freePort()}`;
  const here = (words: readonly string[]) =>
    words.map((word) =>
      word.replace('0.0.0.0', '127.0.0.1').replace('/home/temporal', directory).replace('127.0.0.1:7233', address),
    );
  server = spawn(binary, [...here(command), '--headless', `--port=${address.split(':')[1]}`], { stdio: 'ignore' });
  endWithUs(server);
  await until('a healthy server', async () => {
    if (server.exitCode !== null || server.signalCode !== null)
      throw new Error(`expected a server, found that it ended: ${server.exitCode ?? server.signalCode}`);
    const answer = await run(binary, here(health)).catch(() => undefined);
    return answer?.stdout.includes('SERVING') ? true : undefined;
  });
});

afterAll(async () => {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
});

const askHealth = (variables: Readonly<Record<string, string>>, ...words: readonly string[]) =>
  nodeProgram('docker/worker-health.js', words, { ...process.env, TEMPORAL_ADDRESS: address, ...variables });

it('a worker is healthy when Temporal sees it serve its role, and no longer when it has ended', async () => {
  const { command } = composeService('io');
  const cache = { NIGHTSTILL_CACHE: join(directory, 'cache') };
  const worker = await startProgram('cli/main.js', command, { TEMPORAL_ADDRESS: address, ...cache }, 'worker ready');
  await until('a healthy worker', async () => ((await askHealth({}, 'io')).status === 0 ? true : undefined));
  expect(await askHealth({}, 'gpu')).toMatchObject({
    status: 1,
    standardError: expect.stringMatching(/expected a worker of \S+ at nightstill-gpu, found none/),
  });
  expect(await askHealth({}, 'io', 'other')).toMatchObject({
    status: 1,
    standardError: expect.stringContaining('at other-io'),
  });
  worker.signal('SIGTERM');
  await worker.exited;
  await until('its end', async () => ((await askHealth({}, 'io')).status === 1 ? true : undefined));
});

it('the health of a worker says what is wrong with the question and with the server', async () => {
  expect(await askHealth({}, 'cpu')).toMatchObject({
    status: 1,
    standardError: 'expected a role of orchestrator, io, gpu, found cpu\n',
  });
  const nowhere = await askHealth({ TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` }, 'io');
  expect([nowhere.status, nowhere.standardError !== '']).toEqual([1, true]);
});
