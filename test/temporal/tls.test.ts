/** A Temporal server as one that is hosted: behind TLS, with certificates for both sides and an API key. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemporalTestServer } from '../support/temporal-server.js';
import { temporaryDirectory } from '../support/temporary.js';
import { codeOf, Terminal, type Running } from '../support/terminal.js';
import { serverName, TlsFrontend } from '../support/tls-frontend.js';

const apiKey = 'canary-of-a-hosted-server-4be1';
const directory = temporaryDirectory();
const profiles = join(directory, 'temporal.toml');
const terminal = new Terminal(directory, { TEMPORAL_CONFIG_FILE: profiles });

let temporal: TemporalTestServer;
let frontend: TlsFrontend;
let worker: Running;

const profileOf = (name: string, { key = apiKey, certificate = true } = {}): string => `
[profile.${name}]
address = "${frontend.address}"
namespace = "default"
api_key = "${key}"
[profile.${name}.tls]
server_name = "${serverName}"
server_ca_cert_path = "${frontend.files.authority}"
${certificate ? `client_cert_path = "${frontend.files.certificate}"\nclient_key_path = "${frontend.files.key}"` : ''}
`;

beforeAll(async () => {
  temporal = await TemporalTestServer.start();
  frontend = await TlsFrontend.start({ address: temporal.address, apiKey, directory });
  writeFileSync(
    profiles,
    profileOf('hosted') +
      profileOf('stranger', { certificate: false }) +
      profileOf('expired', { key: 'canary-old-key' }),
  );
  writeFileSync(join(directory, 'rows.jsonl'), '{"prompt":"1 + 1","response":"2"}\n');
  writeFileSync(
    join(directory, 'night.yaml'),
    `name: night\nstore: file://${join(directory, 'store')}\nstages:\n  - { id: rows, uses: import, with: { dataset: rows.jsonl } }\n`,
  );
  worker = terminal.start('worker', '--profile', 'hosted');
});

afterAll(async () => {
  worker.signal('SIGTERM');
  await worker.ended;
  await frontend.stop();
  await temporal.stop();
});

it('serves workers and the command line with what a profile says', async () => {
  const run = await terminal.run('run', 'night.yaml', '--profile', 'hosted', '--run-id', 'first', '--json');
  expect({ status: run.status, error: run.standardError }).toEqual({ status: 0, error: expect.any(String) });
  const status = await terminal.run('status', 'first', '--profile', 'hosted');
  expect(status.standardOutput).toContain('run first  completed');
  expect(frontend.calls).toBeGreaterThan(20);
  expect(worker.printed() + run.standardOutput + run.standardError).not.toContain('canary');
});

it('that takes another key says so, and the key is not repeated', async () => {
  const refused = await terminal.run('status', 'first', '--profile', 'expired');
  expect({ status: refused.status, code: codeOf(refused) }).toEqual({ status: 2, code: 'temporal-refused' });
  expect(refused.standardOutput + refused.standardError).not.toContain('canary');
});

it('that asks for a certificate is not reached without one', async () => {
  const refused = await terminal.run('status', '--profile', 'stranger');
  expect({ status: refused.status, code: codeOf(refused) }).toEqual({ status: 1, code: 'temporal-unavailable' });
  expect(refused.standardError).toContain('found none: TLS is refused: ');
});
