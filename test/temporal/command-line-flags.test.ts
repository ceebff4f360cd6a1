/** Flags that say where Temporal is, how what it is given is encoded, and that a store may be tidied up. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '../support/free-port.js';
import { Night } from '../support/night.js';
import { temporaryDirectory } from '../support/temporary.js';
import { codeOf, eventsOf, Terminal } from '../support/terminal.js';

const directory = temporaryDirectory();
const store = pathToFileURL(join(temporaryDirectory(), 'store')).href;
const settings = join(directory, 'temporal.toml');
const terminal = new Terminal(directory, { TEMPORAL_CONFIG_FILE: settings });
const converter = ['--data-converter', join(directory, 'codec.mjs')];
const encoded = ['--profile', 'night', ...converter];

/** Every byte of a payload is turned around. */
const codec = `
const turned = (bytes) => Buffer.from(bytes).map((byte) => byte ^ 0x5a);
const encode = ({ metadata, data }) => ({
  metadata: { encoding: Buffer.from('binary/turned') },
  data: turned(Buffer.from(JSON.stringify([Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value).toString()]), Buffer.from(data ?? []).toString('base64')]))),
});
const decode = (payload) => {
  if (Buffer.from(payload.metadata.encoding).toString() !== 'binary/turned') return payload;
  const [metadata, data] = JSON.parse(Buffer.from(turned(payload.data)).toString());
  return { metadata: Object.fromEntries(metadata.map(([name, value]) => [name, Buffer.from(value)])), data: Buffer.from(data, 'base64') };
};
export const dataConverter = {
  payloadCodecs: [{ encode: async (payloads) => payloads.map(encode), decode: async (payloads) => payloads.map(decode) }],
};
`;

let night: Night;
beforeAll(async () => {
  night = await Night.begin();
  const elsewhere = `127.0.0.1:${await freePort()}`;
  const profiles = Object.entries({ night: night.temporal.address, elsewhere, broken: 'localhost:' });
  writeFileSync(settings, profiles.map(([name, address]) => `[profile.${name}]\naddress = "${address}"\n`).join('\n'));
  writeFileSync(join(directory, 'codec.mjs'), codec);
  writeFileSync(join(directory, 'rows.jsonl'), '{"prompt":"1 + 1","response":"2"}\n');
  const stages = '  - { id: rows, uses: import, with: { dataset: rows.jsonl } }';
  writeFileSync(join(directory, 'plan.yaml'), `name: hidden-name\nstore: ${store}\nstages:\n${stages}\n`);
  await Promise.all([night.addWorker('io', converter), night.addWorker('orchestrator', converter)]);
});
afterAll(() => night.end());

it('--profile and --data-converter: the run goes to that server, which can read nothing of the plan', async () => {
  const run = await terminal.run('run', 'plan.yaml', '--json', '--run-id', 'first', ...encoded);
  expect({ status: run.status, error: run.standardError }).toMatchObject({ status: 0 });
  expect(eventsOf(run).at(-1)).toMatchObject({ type: 'end', status: 'completed' });
  const { text } = await night.historyOf('first');
  expect(text).toContain(Buffer.from('binary/turned').toString('base64'));
  expect(text).not.toContain('hidden-name');
  const shown = await terminal.run('status', 'first', ...encoded);
  expect(shown.standardOutput).toMatch(/hidden-name {2}run first {2}completed/);
});

it.each([
  ['elsewhere', 'temporal-unavailable'],
  ['broken', 'environment-invalid'],
  ['unknown', 'environment-invalid'],
])('--profile %s, of a server that cannot be reached, ends with %s', async (profile, code) => {
  const shown = await terminal.run('status', '--profile', profile);
  expect({ code: codeOf(shown), isOk: shown.status === 0 }).toEqual({ code, isOk: false });
});

it('gc removes with --yes what it listed without, and a run then does the work again', async () => {
  const words = ['gc', '--store', store, '--grace', '0s', '--keep-runs', '0', '--json'];
  const collect = async (...more: readonly string[]) =>
    JSON.parse((await terminal.run(...words, ...more)).standardOutput) as {
      readonly removed: { readonly objects: number };
    };
  const again = async (runId: string) =>
    eventsOf(await terminal.run('run', 'plan.yaml', '--json', '--run-id', runId, ...encoded)).at(-1);
  const { removed } = await collect();
  expect(removed.objects).toBeGreaterThan(0);
  expect(await again('second')).toMatchObject({ result: { nodes: { rows: { reused: true } } } });
  expect(await collect('--yes')).toMatchObject({ dryRun: false });
  expect(await again('third')).toMatchObject({ result: { nodes: { rows: { reused: false } } } });
});
