/**
 * What docker/compose.yaml has its servers run, run here without containers: the S3 server with its own script, credentials in
 * files alone, and the sources that the builder is sent, compiled apart from all others.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../tools/package-root.js';
import { composeService, sentToBuilder } from '../support/docker-files.js';
import { freePort } from '../support/free-port.js';
import { endWithUs } from '../support/left-behind.js';
import { nightstill } from '../support/nightstill.js';
import { until } from '../support/processes.js';
import { s3ServerBinary } from '../support/servers.js';
import { temporaryDirectory } from '../support/temporary.js';

const run = promisify(execFile);

describe('the S3 server of the compose file', () => {
  const directory = temporaryDirectory();
  const credentials = join(directory, 's3-credentials');
  let server: ChildProcess;
  let port: number;

  beforeAll(async () => {
    await writeFile(
      credentials,
      '[default]\naws_access_key_id = nightstill\naws_secret_access_key = a/secret+of=ours\n',
    );
    port = await freePort();
    const { entrypoint = [], command } = composeService('s3');
    const script = (command[0] ?? '')
      .replaceAll('$$', '$')
      .replaceAll('/run/secrets/s3-credentials', credentials)
      .replaceAll('/data', join(directory, 'data'))
      .replace(':7070', `127.0.0.1:${port}`);
    const PATH = `${dirname(await s3ServerBinary())}:${process.env['PATH']}`;
    const [shell = '', ...options] = entrypoint;
    server = spawn(shell, [...options, script], { env: { PATH }, stdio: 'ignore' });
    endWithUs(server);
    const [url = ''] = /http:\S+/.exec(composeService('s3').healthcheck?.test?.join(' ') ?? '') ?? [];
    const health = url.replace(':7070', `:${port}`);
    await until('a healthy server', async () => {
      if (server.exitCode !== null || server.signalCode !== null)
        throw new Error(`expected a server, found that it ended: ${server.exitCode ?? server.signalCode}`);
      return (await fetch(health).catch(() => undefined))?.ok ? true : undefined;
    });
  });

  afterAll(async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  });

  const doctor = async (file: string) => {
    const { NIGHTSTILL_STORE: places = '' } = composeService('io').environment ?? {};
    const store = places.replace(/^\$\{NIGHTSTILL_STORE:-(.*)\}$/, '$1').replace('s3:7070', `127.0.0.1:${port}`);
    const variables = { PATH: process.env['PATH'], HOME: directory, NIGHTSTILL_STORE: store };
    const { standardOutput } = await nightstill(['doctor', '--json'], {
      ...variables,
      AWS_SHARED_CREDENTIALS_FILE: file,
    });
    const { checks } = JSON.parse(standardOutput) as { checks: { name: string; status: string; detail: string }[] };
    return checks.find(({ name }) => name === 'object store');
  };

  it('takes its keys from the file from which the workers take theirs, and has the bucket of their store', async () => {
    expect(await doctor(credentials)).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('answers, empty'),
    });
  });

  it('lets nobody in with other keys', async () => {
    const other = join(directory, 'other-credentials');
    await writeFile(other, '[default]\naws_access_key_id = nightstill\naws_secret_access_key = another\n');
    expect(await doctor(other)).toMatchObject({ status: 'failed' });
  });
});

describe('the build of the image', () => {
  it('compiles from what the builder is sent, and its worker starts', async () => {
    const folder = join(temporaryDirectory(), 'app');
    await mkdir(join(folder, 'docker'), { recursive: true });
    for (const path of sentToBuilder()) await cp(join(packageRoot(), path), join(folder, path), { recursive: true });
    await symlink(join(packageRoot(), 'node_modules'), join(folder, 'node_modules'));
    // Declarations would name packages by where the link leads.
    const compile = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--declaration', 'false'];
    await run(process.execPath, compile, { cwd: folder });
    expect(await readdir(join(folder, 'dist'))).toEqual(expect.arrayContaining(['cli', 'docker', 'workers']));
    const { stdout } = await run(process.execPath, ['dist/cli/main.js', 'worker', '--help'], { cwd: folder });
    expect(stdout).toContain('--role');
  });
});
