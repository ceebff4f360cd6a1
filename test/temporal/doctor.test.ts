import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import type { Variables } from '../../config/environment.js';
import type { Diagnosis } from '../../tools/doctor.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { nightstill } from '../support/nightstill.js';
import { S3Server } from '../support/s3-server.js';
import { temporaryDirectory } from '../support/temporary.js';
import { TemporalTestServer } from '../support/temporal-server.js';

async function examine(variables: Variables) {
  const { status, standardOutput } = await nightstill(['doctor', '--json'], { ...process.env, ...variables });
  const { checks, healthy }: Diagnosis = JSON.parse(standardOutput);
  return { status, healthy, of: (name: string) => checks.find((check) => check.name === name) };
}

describe('the doctor, with the real parts', () => {
  let temporal: TemporalTestServer;
  let store: S3Server;

  beforeAll(async () => {
    [temporal, store] = await Promise.all([TemporalTestServer.start(), S3Server.start()]);
  });
  afterAll(async () => {
    await Promise.all([temporal.stop(), store.stop()]);
  });

  it('ends with 0 when Temporal and the store answer, and says what they are', async () => {
    const { status, of } = await examine({ TEMPORAL_ADDRESS: temporal.address, NIGHTSTILL_STORE: store.url('night') });
    expect(of('temporal-server')).toMatchObject({ status: 'ok', why: 'TEMPORAL_ADDRESS is set' });
    expect(of('temporal-server')?.detail).toMatch(/^server \d+\.\d+\.\d+, namespace default at /);
    expect(of('object store')).toMatchObject({ status: 'ok', required: true });
    expect(of('s3-server')).toMatchObject({ status: 'ok' });
    expect(status).toBe(0);
  });

  it('ends with 0 when no address is set and a server could be started, and says which and why', async () => {
    const { status, of } = await examine({ TEMPORAL_ADDRESS: '' });
    expect(of('temporal-server')).toMatchObject({
      status: 'ok',
      why: expect.stringContaining('TEMPORAL_ADDRESS: not set'),
    });
    expect(of('temporal-server')?.detail).toContain(`${temporal.binary} server start-dev`);
    expect(status).toBe(0);
  });

  it('judges by the profile that workers read, too', async () => {
    const TEMPORAL_CONFIG_FILE = join(temporaryDirectory(), 'temporal.toml');
    writeFileSync(TEMPORAL_CONFIG_FILE, `[profile.default]\naddress = "${temporal.address}"\nnamespace = "nowhere"\n`);
    const { status, of } = await examine({ TEMPORAL_ADDRESS: undefined, TEMPORAL_CONFIG_FILE });
    expect(of('temporal-server')).toMatchObject({ status: 'failed', detail: expect.stringContaining('nowhere') });
    expect(status).toBe(1);
  });

  it('ends with 1 when the namespace does not exist', async () => {
    const { status, of } = await examine({ TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: 'nowhere' });
    expect(of('temporal-server')).toMatchObject({ status: 'failed', detail: expect.stringContaining('nowhere') });
    expect(status).toBe(1);
  });

  it('ends with 1 when the store that is configured does not exist', async () => {
    const NIGHTSTILL_STORE = pathToFileURL(join(temporaryDirectory(), 'absent')).href;
    const { status, of } = await examine({ TEMPORAL_ADDRESS: '', NIGHTSTILL_STORE });
    expect(of('object store')).toMatchObject({ status: 'failed', remedy: expect.stringContaining('Create') });
    expect(status).toBe(1);
  });

  it('ends with 1, and soon, when the store accepts connections and never answers', async () => {
    const proxy = await FaultProxy.start(store.endpoint);
    proxy.plan({ fault: 'hang' });
    const NIGHTSTILL_STORE = store.url('night', proxy.endpoint);
    const { status, of } = await examine({ TEMPORAL_ADDRESS: '', NIGHTSTILL_STORE });
    await proxy.stop();
    expect(of('object store')).toMatchObject({
      status: 'failed',
      detail: 'expected an answer within 10 s, found none',
    });
    expect(status).toBe(1);
  });

  it('ends with 1 when nothing answers at the address that is set, whatever could be started', async () => {
    await temporal.kill();
    const { status, of } = await examine({ TEMPORAL_ADDRESS: temporal.address });
    expect(of('temporal-server')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('nothing answers'),
    });
    expect(status).toBe(1);
  });
});
