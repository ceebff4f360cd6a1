/**
 * Capturing a teacher against transformers, which only scores: ours also writes what it keeps into a store, durable. One by one and
 * in padded batches, the same weights, sequences and threads, everyone in turn in a process of its own. And the bytes a token that
 * the store takes, with the ids of Qwen. Without Python, the rows against transformers are reported as not measured.
 *
 *   npm run bench:capture -- [--rounds <count>] [--threads <count>] [--print]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readEnvironment } from '../config/environment.js';
import { findPart } from '../tools/part.js';
import { createReporter } from '../tools/progress.js';
import { packagePath } from '../tools/tensorflow-addon.js';
import { tensorflow } from '../tools/tensorflow.js';
import { run, type Surroundings } from './engine-contestants.js';
import { scorings, type Contestant } from './engine-groups.js';
import { measureGroup, writeFiles, type Rounds } from './engine-rounds.js';
import { judge } from './engine-rows.js';
import { providePython } from './python-environment.js';
import { printRows, ratioOf, report, rounded, type Row } from './report.js';

const quietLoad = 0.5;
const engine: Contestant = { by: 'engine', backend: 'tensorflow', xla: false };

/** Calculated from the layouts that DistillKit documents (its README and compression configurations), not measured here. */
const distillKit = [
  { k: 50, bytes: 127 },
  { k: 128, bytes: 344 },
];
const goalBytes = 43;

async function bytesPerToken(topK: number, { threads }: Rounds, surroundings: Surroundings): Promise<number> {
  const long = Array.from({ length: 8 }, () => 256);
  const task = { work: 'capture', lengths: long, topK, rounds: 0 } as const;
  const files = await writeFiles({ model: 'Qwen vocabulary', task, sequences: long }, surroundings.directory);
  return (await run(engine, { ...files, threads }, surroundings)).bytesPerToken ?? Number.NaN;
}

const bytesRow = (bytes: number): Row => ({
  work: 'a store of logits, top 10, float16, vocabulary of 151,936',
  against: `DistillKit, top ${distillKit[0]?.k} (calculated)`,
  ours: rounded(bytes),
  theirs: distillKit[0]?.bytes ?? Number.NaN,
  unit: 'bytes a token',
  ratio: ratioOf(bytes, distillKit[0]?.bytes ?? Number.NaN),
  goal: `≤ ${goalBytes} bytes a token`,
  met: bytes <= goalBytes,
});

async function compare(rounds: Rounds, surroundings: Surroundings) {
  const [rows, notes]: [Row[], string[]] = [[], []];
  for (const group of scorings('capture', 'capture')) {
    const measured = await measureGroup(group, rounds, surroundings);
    for (const goal of group.goals) {
      const judged = judge(group, goal, measured);
      if ('row' in judged) rows.push(judged.row);
      else notes.push(judged.note);
    }
  }
  rows.push(bytesRow(await bytesPerToken(10, rounds, surroundings)));
  for (const { k, bytes } of distillKit)
    notes.push(
      `at the same k of ${k} this store takes ${rounded(await bytesPerToken(k, rounds, surroundings))} bytes a token and DistillKit ` +
        `${bytes} (calculated from its documented layouts): it fits curves where this store keeps every log-probability`,
    );
  return { rows, notes };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string' }, threads: { type: 'string' }, print: { type: 'boolean' } },
  });
  const rounds = { rounds: Number(values.rounds ?? 3), threads: Number(values.threads ?? 2) };
  const load = loadavg()[0] ?? 0;
  if (load > quietLoad) process.stderr.write(`load average ${load.toFixed(1)}: beside other work, compare nothing\n`);
  const [environment, variables] = [readEnvironment(), process.env];
  const context = { environment, variables, reporter: createReporter(process.stderr), verify: false };
  const directory = await mkdtemp(join(tmpdir(), 'nightstill-bench-'));
  try {
    const { found } = await findPart(tensorflow, context);
    if (found === undefined) throw new Error('no TensorFlow: run nightstill setup');
    const python = await providePython(context);
    const packageDirectory = join(found.location, packagePath);
    const { rows, notes } = await compare(rounds, { python, variables, directory, packageDirectory });
    const peers =
      python.python === undefined
        ? `none (${python.why}); with a Python 3 on PATH or in NIGHTSTILL_PYTHON, this bench installs torch and transformers itself`
        : python.versions;
    const all = [`load average before: ${load.toFixed(2)}`, `peers: ${peers}; TensorFlow ${found.version}`, ...notes];
    if (values.print) printRows(rows);
    else await report('capture', all, rows);
    process.stdout.write(all.map((note) => `${note}\n`).join(''));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

await main();
