/**
 * The engine against its peers: PyTorch, transformers, eager TensorFlow.js. Everyone gets the same weights, batches, dtype
 * and two threads, each measurement runs in a process of its own, all take turns, and the best of several rounds counts. A
 * row whose two sides do not compute the same is void. A run of all rows is kept in `bench/results/engine.json`; `--rows` (a part of a
 * row's work or peer) and `--threads` only print, unless `--keep`, with the usual threads, puts these rows in the place of those that were measured before, with
 * a note. A round of everything takes a quarter of an hour.
 *
 *   npm run bench:engine -- [--rows <part> [--keep]] [--rounds <count>] [--threads <count>]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readEnvironment } from '../config/environment.js';
import { findPart, type SetupContext } from '../tools/part.js';
import { createReporter } from '../tools/progress.js';
import { packagePath } from '../tools/tensorflow-addon.js';
import { tensorflow } from '../tools/tensorflow.js';
import type { Surroundings } from './engine-contestants.js';
import { groups, type Group } from './engine-groups.js';
import { measureGroup, type Rounds } from './engine-rounds.js';
import { judge } from './engine-rows.js';
import { providePython } from './python-environment.js';
import { printRows, report, reportAgain, type Row } from './report.js';

const usualThreads = 2;
const usualRounds = 3;
const quietLoad = 0.5;

interface Settings extends Rounds {
  readonly rows: string;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string' },
      keep: { type: 'boolean' },
      rounds: { type: 'string' },
      threads: { type: 'string' },
    },
  });
  const settings = {
    rows: values.rows ?? '',
    rounds: Number(values.rounds ?? usualRounds),
    threads: Number(values.threads ?? usualThreads),
  };
  const { notes, rows } = await compare(settings);
  if (values.rows === undefined && values.threads === undefined) await report('engine', notes, rows);
  else if (values.keep && values.threads === undefined) await reportAgain('engine', notes.slice(0, 2).join(', '), rows);
  else printRows(rows);
  process.stdout.write(notes.map((note) => `${note}\n`).join(''));
}

async function compare(
  settings: Settings,
): Promise<{ readonly notes: readonly string[]; readonly rows: readonly Row[] }> {
  const load = loadavg()[0] ?? 0;
  if (load > quietLoad)
    process.stderr.write(
      `load average ${load.toFixed(1)}: beside other work the peers fall up to tenfold; compare nothing\n`,
    );
  const context: SetupContext = {
    environment: readEnvironment(),
    variables: process.env,
    reporter: createReporter(process.stderr),
    verify: false,
  };
  const directory = await mkdtemp(join(tmpdir(), 'nightstill-bench-'));
  const rows: Row[] = [];
  const missing: string[] = [];
  try {
    const { found } = await findPart(tensorflow, context);
    const python = await providePython(context);
    const surroundings: Surroundings = {
      python,
      variables: process.env,
      directory,
      ...(found === undefined ? {} : { packageDirectory: join(found.location, packagePath) }),
    };
    for (const group of groups.map((each) => narrowed(each, settings.rows))) {
      if (group.goals.length === 0) continue;
      const measured = await measureGroup(group, settings, surroundings);
      for (const goal of group.goals) {
        const judged = judge(group, goal, measured);
        if ('row' in judged) rows.push(judged.row);
        else missing.push(judged.note);
      }
    }
    const notes = [
      `rounds: ${settings.rounds}, the best step or call of all counts; everyone in turn, one process each, ${settings.threads} threads`,
      `load average before: ${load.toFixed(2)}`,
      `peers: ${python.python === undefined ? `no Python: ${python.why}` : python.versions}; TensorFlow ${found?.version ?? 'not installed'}`,
      'memory: highest resident size from the first step on, less that of the idle process with the library loaded',
      ...missing,
    ];
    return { notes, rows };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Only what was asked for: by a part of the group's work, or of the peer's name. */
function narrowed(group: Group, rows: string): Group {
  if (group.work.includes(rows)) return group;
  return { ...group, goals: group.goals.filter(({ against, ours }) => (against ?? ours ?? '').includes(rows)) };
}

await main();
