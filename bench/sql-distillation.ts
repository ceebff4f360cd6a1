/**
 * What the teacher's distributions are worth: the plan of the demo with 5 seeds, 600 and 1,000 prompts, cross-entropy alone and
 * distillation at T = 1 and T = 2 from the same fine-tuned weights, all judged by running the SQL of the 600 held-out questions.
 *
 *   npm run bench:sql              # hours; after an interruption the same command goes on from the last checkpoint
 *
 * It is one plan of some ninety stages, run as any plan is: what was recorded is not computed again. Its store lies in
 * `.nightstill/bench/sql`, its Temporal server and workers are its own.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compiledFile } from '../cli/dev/compiled-file.js';
import { loadPlan } from '../cli/plan/load-plan.js';
import { tensorflowNeedOf } from '../cli/plan/tensorflow-need.js';
import { findServers } from '../cli/servers.js';
import type { RunResult } from '../client/index.js';
import { defaultQueuePrefix } from '../config/queues.js';
import { readScoreTables } from '../evaluation/index.js';
import { runToEnd } from '../examples/sql/run-to-end.js';
import { serveTeacher } from '../examples/sql/serve-teacher.js';
import { findArtifact, isDigest, isJsonObject, openObjectStore, type ObjectStore } from '../storage/index.js';
import { packageRoot } from '../tools/package-root.js';
import { report } from './report.js';
import { evaluationOf, planOfSeries, type Series } from '../examples/sql/series-plan.js';
import { resultOf, scoredModels, type Scores } from '../examples/sql/series-result.js';

/** Beside that of the demo, which may run here as well. */
const port = 8797;
const folder = join(packageRoot(), '.nightstill', 'bench', 'sql');
/** As `distill.yaml` names it. */
const data = join(packageRoot(), '.nightstill', 'sql');
const series: Series = {
  sizes: [600, 1000],
  seeds: [1, 2, 3, 4, 5],
  temperatures: [1, 2],
  promptsOf: (size) => join(folder, `prompts-${size}.jsonl`),
  store: `file://${join(folder, 'store')}`,
  endpoint: `http://127.0.0.1:${port}/v1`,
};
const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function prepare(): Promise<string> {
  for (const directory of [folder, data]) await mkdir(directory, { recursive: true });
  const words = [compiledFile('examples/sql/make-data.js'), data, '--training', '400'];
  const { status } = spawnSync(process.execPath, words, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`expected make-data to succeed, found status ${status}`);
  const prompts = (await readFile(join(data, 'prompts.jsonl'), 'utf8')).trimEnd().split('\n');
  for (const size of series.sizes) await writeFile(series.promptsOf(size), `${prompts.slice(0, size).join('\n')}\n`);
  const { file: demo } = await loadPlan({ path: join(packageRoot(), 'examples/sql/distill.yaml'), variables: {} });
  if (!isJsonObject(demo)) throw new TypeError('a plan is an object');
  const path = join(folder, 'plan.json');
  await writeFile(path, JSON.stringify(planOfSeries(demo, series), null, 2));
  return path;
}

async function run(path: string): Promise<RunResult> {
  process.chdir(folder); // servers keep their state in the current directory
  const variables = process.env;
  const loaded = await loadPlan({ path, variables });
  const teacher = await serveTeacher(join(folder, 'replies'), port);
  try {
    const servers = await findServers({
      alone: true,
      profile: undefined,
      dataConverter: undefined,
      queuePrefix: defaultQueuePrefix,
      workerFlags: [],
      variables,
      tensorflow: tensorflowNeedOf(loaded, { queuePrefix: defaultQueuePrefix, prove: false }),
      say,
    });
    const second = workBeside(servers.embedded?.note.address ?? '');
    try {
      const { result, view, runId } = await runToEnd(servers.client, loaded.file);
      if (result) return result;
      throw new Error(`run ${runId} is ${view.status}: the same command goes on from where it was`);
    } finally {
      await second.end();
      await servers.close();
    }
  } finally {
    await teacher.close();
  }
}

/** A worker trains one model at a time on one thread: a second one keeps a machine of two cores busy. */
function workBeside(address: string): { readonly end: () => Promise<void> } {
  const words = [compiledFile('cli/main.js'), 'worker', '--role', 'gpu'];
  const child = spawn(process.execPath, words, {
    env: { ...process.env, TEMPORAL_ADDRESS: address },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  return {
    end: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function scoresOf(store: ObjectStore, { nodes }: RunResult, model: string): Promise<Scores> {
  const digest = nodes[evaluationOf(model)]?.outputs['scores']?.digest ?? '';
  const candidate = isDigest(digest) ? await findArtifact(store, digest) : undefined;
  if (candidate === undefined) throw new Error(`expected scores of ${model}, found none`);
  const { 'sql-execution': table } = await readScoreTables(store, { candidate });
  if (table === undefined) throw new Error(`expected scores of ${model} by sql-execution, found others`);
  return table.candidate;
}

const result = await run(await prepare());
const store = await openObjectStore(series.store);
const scores = new Map<string, Scores>();
for (const model of scoredModels(series)) scores.set(model, await scoresOf(store, result, model));
await store.close();
const { notes, rows, details } = resultOf(series, scores);
await report('sql-distillation', notes, rows, details);
