/**
 * What it costs that work is a stage of a run: against a plain Temporal activity, called by a plain workflow, through the same
 * server in the same rounds, on a file store and on a real S3 server. Workers are processes of their own, on both sides.
 *
 *   npm run bench:orchestration
 */
import { loadavg } from 'node:os';
import { compiledPath, startProgram, type RunningProcess } from '../test/support/processes.js';
import { jsonLines } from '../test/support/datasets.js';
import { upsertSchedule } from '../client/index.js';
import { promptLines } from '../test/support/answers.js';
import { homePlan } from '../test/support/home-plan.js';
import { conversationLines } from '../test/support/model-fixtures.js';
import { oneNight } from '../test/support/night-of.js';
import { microPlan, writeMicroModels } from '../test/support/micro-plan.js';
import { NightFiles } from '../test/support/night-files.js';
import { Night } from '../test/support/night.js';
import { S3Server } from '../test/support/s3-server.js';
import type { Json, JsonObject } from '../storage/index.js';
import { ratioOf, report, rounded, type Row } from './report.js';

const rounds = 8;
/** Long enough that one node is told from the run around it. */
const chain = 20;

interface Place {
  readonly name: string;
  readonly newStore: () => string;
}

/** A chain of stages that do nothing, each waiting for the one before. */
const chainPlan = (store: string, round: string, length: number): Json => ({
  name: 'chain',
  store,
  stages: Array.from({ length }, (_, number) => ({
    id: `node-${number}`,
    uses: 'nothing',
    needs: number === 0 ? [] : [`node-${number - 1}`],
    with: { number, round },
  })),
});

class Bench {
  #runs = 0;

  constructor(readonly night: Night) {}

  /** Milliseconds from the client's start to the client's result, and the id of the run. */
  async timeRun(plan: Json): Promise<{ readonly ms: number; readonly runId: string }> {
    const runId = `bench-${(this.#runs += 1)}`;
    const startedAtMs = performance.now();
    await (await this.night.start(runId, plan)).result();
    return { ms: performance.now() - startedAtMs, runId };
  }

  async timePlain(activities: number): Promise<number> {
    const workflowId = `plain-${(this.#runs += 1)}`;
    const startedAtMs = performance.now();
    await this.night.client.workflow.execute('plain', { workflowId, taskQueue: 'plain', args: [activities] });
    return performance.now() - startedAtMs;
  }

  async sizeOf(runId: string): Promise<{ readonly events: number; readonly bytes: number }> {
    const { historyLength, historySize } = await this.night.client.workflow.getHandle(runId).describe();
    return { events: historyLength, bytes: historySize ?? 0 };
  }
}

/** What one link of a chain takes: a chain of many against a chain of one, each at its best. */
const perLink = (many: readonly number[], one: readonly number[]): number =>
  (Math.min(...many) - Math.min(...one)) / (chain - 1);

async function nodesAndStages(bench: Bench, { name, newStore }: Place): Promise<Row[]> {
  const store = newStore();
  const times = { fresh: [], freshOne: [], cached: [], cachedOne: [], plain: [], plainOne: [] } as Record<
    'fresh' | 'freshOne' | 'cached' | 'cachedOne' | 'plain' | 'plainOne',
    number[]
  >;
  for (let round = 0; round < rounds; round += 1) {
    const plan = (kind: string, length: number): Json => chainPlan(store, `${kind}-${round}`, length);
    times.plain.push(await bench.timePlain(chain));
    times.plainOne.push(await bench.timePlain(1));
    times.fresh.push((await bench.timeRun(plan('many', chain))).ms);
    times.freshOne.push((await bench.timeRun(plan('one', 1))).ms);
    times.cached.push((await bench.timeRun(plan('many', chain))).ms);
    times.cachedOne.push((await bench.timeRun(plan('one', 1))).ms);
    process.stderr.write(`${name} ${round + 1}/${rounds}: ${JSON.stringify(times, (_, ms) => latest(ms))}\n`);
  }
  const plain = perLink(times.plain, times.plainOne);
  const stage = perLink(times.fresh, times.freshOne);
  const cached = perLink(times.cached, times.cachedOne);
  return [
    atMost(`a cached node, ${name}`, 'a plain activity', cached, plain, 60, cached),
    atMost(`a stage that does nothing, ${name}`, 'a plain activity', stage, plain, 100, stage - plain, ' over it'),
  ];
}

const latest = (value: unknown): unknown => (Array.isArray(value) ? Math.round(Number(value.at(-1))) : value);

/** The standard plan with everything recorded, and how much history a run of it leaves. */
async function standardRuns(bench: Bench, files: NightFiles, { name, newStore }: Place): Promise<Row[]> {
  const models = await writeMicroModels(`${files.directory}/${name.replaceAll(' ', '-')}`);
  const dataset = await files.newDataset(jsonLines(320 * 1024));
  const plan = microPlan({ store: newStore(), dataset, ...models });
  const fresh = await bench.timeRun(plan);
  const cached: number[] = [];
  const plain: number[] = [];
  let last = fresh;
  for (let round = 0; round < rounds; round += 1) {
    plain.push(await bench.timePlain(1));
    last = await bench.timeRun(plan);
    cached.push(last.ms);
  }
  const [full, reused] = [await bench.sizeOf(fresh.runId), await bench.sizeOf(last.runId)];
  const best = Math.min(...cached);
  return [
    atMost(
      `a fully cached run of five stages, ${name}`,
      'a workflow of one plain activity',
      best,
      Math.min(...plain),
      3000,
      best,
    ),
    history(`history of a run of five stages, ${name}`, full.events, 'events', 200),
    history(`history of a run of five stages, ${name}`, full.bytes / 1024, 'KiB', 100),
    history(`history of a fully cached run, ${name}`, reused.events, 'events', 200),
    history(`history of a fully cached run, ${name}`, reused.bytes / 1024, 'KiB', 100),
  ];
}

/** A whole night with a gate, ordered from its schedule: the first promotes, those after it find that nothing has changed. */
async function unchangedNights(bench: Bench, files: NightFiles, { name, newStore }: Place): Promise<Row> {
  const { client } = bench.night;
  const schedule = `night-on-${name.replaceAll(' ', '-').toLowerCase()}`;
  const plan = homePlan({
    name: schedule,
    store: newStore(),
    dataset: await files.newDataset(promptLines(12)),
    evaluation: await files.newDataset(conversationLines(4)),
    ...(await writeMicroModels(`${files.directory}/${schedule}`)),
  });
  await upsertSchedule({ client, file: { ...(plan as JsonObject), schedule: { cron: '0 3 1 1 *' } } });
  const { ran, reused } = (await oneNight(client, schedule)).result;
  if (!ran.includes('promote') || reused.length > 0)
    throw new Error(`expected the first night to run every stage and to promote, found ${ran.join(', ')}`);
  const [nights, plain]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    plain.push(await bench.timePlain(1));
    const { result, ms } = await oneNight(client, schedule);
    if (result.ran.length > 0)
      throw new Error(`expected an unchanged night, found that it ran ${result.ran.join(', ')}`);
    nights.push(ms);
  }
  const worst = Math.max(...nights);
  const work = `an unchanged night with a gate, ${ran.length} stages, the slowest of ${rounds}, ${name}`;
  return atMost(work, 'a workflow of one plain activity', worst, Math.min(...plain), 3000, worst);
}

function atMost(
  work: string,
  against: string,
  ours: number,
  theirs: number,
  limitMs: number,
  counted: number,
  note = '',
): Row {
  return {
    work,
    against,
    ours: rounded(ours),
    theirs: rounded(theirs),
    unit: 'ms',
    ratio: ratioOf(ours, theirs),
    goal: `< ${limitMs} ms${note}`,
    met: counted < limitMs,
  };
}

const history = (work: string, ours: number, unit: string, limit: number): Row => ({
  work,
  against: 'a fixed limit',
  ours: rounded(ours),
  theirs: limit,
  unit,
  ratio: ratioOf(ours, limit),
  goal: `< ${limit} ${unit}`,
  met: ours < limit,
});

async function main(): Promise<void> {
  const [loadAtStart = 0] = loadavg();
  const files = await NightFiles.create();
  const s3 = await S3Server.start();
  const night = await Night.begin(s3.environment);
  const plainWorkers: RunningProcess[] = [];
  try {
    const stages = ['--stages', compiledPath('bench/orchestration-stages.js')];
    const environment = { TEMPORAL_ADDRESS: night.temporal.address };
    await Promise.all([
      ...(['orchestrator', 'io', 'gpu'] as const).map((role) => night.addWorker(role, stages)),
      ...['workflows', 'activities'].map(async (kind) => {
        plainWorkers.push(await startProgram('bench/orchestration-worker.js', [kind], environment, 'worker ready'));
      }),
    ]);
    const bench = new Bench(night);
    const places: Place[] = [
      { name: 'file store', newStore: () => files.newStore() },
      { name: 'S3 server', newStore: () => s3.url(files.newRunId()) },
    ];
    const rows: Row[] = [];
    for (const place of places)
      rows.push(
        ...(await nodesAndStages(bench, place)),
        ...(await standardRuns(bench, files, place)),
        await unchangedNights(bench, files, place),
      );
    await report(
      'orchestration',
      [
        `best of ${rounds}, ours and plain activities in turn; a node is (a chain of ${chain} − a chain of one) / ${chain - 1}`,
        `load of the machine by others and this bench, mean of a minute: ${loadAtStart.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after`,
        'real Temporal dev server with a database file, versitygw 1.8.0 on loopback, every worker a process of its own',
      ],
      rows,
    );
  } finally {
    for (const worker of plainWorkers) worker.signal('SIGTERM');
    await Promise.all(plainWorkers.map(({ exited }) => exited));
    await night.end();
    await s3.stop();
    await files.remove();
  }
}

await main();
