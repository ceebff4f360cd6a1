/** The worker and the stage of the examples, as their user starts them; the application that starts the run has no such stage. */
import { upsertSchedule } from '../../client/index.js';
import { sightQueue } from '../../config/queue-sighting.js';
import { openObjectStore, parseDigest, readArtifact, readBlob } from '../../storage/index.js';
import { NightFiles } from '../support/night-files.js';
import { oneNight } from '../support/night-of.js';
import { Night } from '../support/night.js';
import { compiledPath, startProgram, until } from '../support/processes.js';

let files: NightFiles;
let night: Night;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await Night.begin();
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

const rows = [
  { id: 'a', prompt: 'What is the moon?', completion: 'A stone.' },
  { id: 'b', prompt: 'what is the Moon?', completion: 'A lamp.' },
  { id: 'c', prompt: 'What is the night?', completion: 'A shadow.' },
  { id: 'd', prompt: 'What is the moon?', completion: 'A stone.' },
];

const planOf = async (store: string, ignoreCase: boolean) => ({
  name: 'unique-questions',
  store,
  // Nights come when they are triggered.
  schedule: { cron: '0 3 1 1 *', timeZone: 'UTC' },
  stages: [
    {
      id: 'import',
      uses: 'import',
      with: { dataset: await files.newDataset(rows.map((row) => JSON.stringify(row)).join('\n')) },
    },
    { id: 'unique', uses: 'deduplicate', needs: ['import'], with: { ignoreCase } },
  ],
});

/** Ids of the rows that are left. */
async function keptBy(ignoreCase: boolean): Promise<string[]> {
  const url = files.newStore();
  const handle = await night.start(files.newRunId(), await planOf(url, ignoreCase));
  const dataset = (await handle.result()).nodes['unique']?.outputs['dataset'];
  if (!dataset) throw new Error('expected a dataset');
  const store = await openObjectStore(url);
  try {
    const { parts } = await readArtifact(store, { ...dataset, digest: parseDigest(dataset.digest) });
    const text = Buffer.concat(await Promise.all(parts.map((part) => readBlob(store, part)))).toString();
    const lines = text.trimEnd().split('\n');
    expect(dataset.rows).toBe(lines.length);
    return lines.map((line) => (JSON.parse(line) as { readonly id: string }).id);
  } finally {
    await store.close();
  }
}

const speaksOften = async (queue: string, pid: number): Promise<boolean> =>
  (await sightQueue(night.client.workflowService, 'default', queue)).workers.some(
    ({ identity, intervalMs }) => identity.includes(`${pid}@`) && intervalMs < 30_000,
  );

/** What a night of a schedule has run. */
async function ranInANight(): Promise<readonly string[]> {
  const { client } = night;
  const { schedule } = await upsertSchedule({ client, file: await planOf(files.newStore(), true) });
  return (await oneNight(client, schedule.name)).result.ran;
}

it('examples/worker does all that a plan and a schedule need, with the stage of examples/own-stage, and says often that it lives', async () => {
  const environment = { TEMPORAL_ADDRESS: night.temporal.address };
  const worker = await startProgram('examples/worker/worker.js', [], environment, "state: 'RUNNING'");
  expect(await keptBy(false)).toEqual(['a', 'b', 'c']);
  expect(await keptBy(true)).toEqual(['a', 'c']);
  expect(await ranInANight()).toEqual(['import', 'unique']);
  // Unless told otherwise, a worker speaks once a minute.
  for (const role of ['orchestrator', 'io', 'gpu'])
    await until(`a word of the ${role} worker`, () => speaksOften(`nightstill-${role}`, worker.pid));
  worker.signal('SIGTERM');
  await worker.exited;
  expect(worker.output()).not.toContain('Error');
});

it('examples/own-stage is taken by a worker of the command line', async () => {
  const module = ['--stages', compiledPath('examples/own-stage/deduplicate.js')];
  const worker = await night.addWorker('io', ['--role', 'orchestrator,io', ...module]);
  expect(await keptBy(true)).toEqual(['a', 'c']);
  worker.signal('SIGTERM');
  await worker.exited;
});

it('a plugin that is given to the connection reaches the worker', async () => {
  const [io, orchestrator] = await Promise.all([
    startProgram(
      'test/support/children/plugged-connection.js',
      [],
      { TEMPORAL_ADDRESS: night.temporal.address },
      "state: 'RUNNING'",
    ),
    night.addWorker('orchestrator', ['--stages', compiledPath('examples/own-stage/deduplicate.js')]),
  ]);
  expect(await keptBy(true)).toEqual(['a', 'c']);
  for (const worker of [io, orchestrator]) {
    worker.signal('SIGTERM');
    await worker.exited;
  }
});
