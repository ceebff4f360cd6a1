/**
 * `npm test`: the checks of the house, then set-up of the parts that the Jest projects need, then the projects one after
 * another, each with its time. The last line counts over all of them. `npm test -- unit contract` runs only those projects;
 * other words are path patterns that Jest filters by.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from '../config/environment.js';
import { processSettings } from '../engine/runners/process-settings.js';
import { packageRoot } from '../tools/package-root.js';
import { formatDuration } from '../config/format-duration.js';
import { createReporter } from '../tools/progress.js';
import { runForResults } from './support/results-process.js';
import { describeOutcomes, drawTable, requireParts, selectParts, setUp } from '../tools/setup.js';

/** The parts that each Jest project needs. */
const projectParts: Readonly<Record<string, readonly string[]>> = {
  unit: ['tensorflow'],
  contract: ['s3-server'],
  parity: ['tensorflow'],
  temporal: ['temporal-server', 's3-server', 'tensorflow'],
  replay: [],
  crash: ['temporal-server', 's3-server', 'tensorflow'],
};

interface Tally {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}

async function main(words: readonly string[]): Promise<number> {
  const named = Object.keys(projectParts).filter((name) => words.includes(name));
  const patterns = words.filter((word) => !(word in projectParts));
  const projects = named.length === 0 ? Object.keys(projectParts) : named;
  const tallies: Tally[] = [];
  if (words.length === 0) tallies.push(await timed('check', () => check()));
  tallies.push(await timed('setup', () => setUpFor(projects)));
  for (const project of projects) tallies.push(await timed(project, () => runProject(project, patterns)));
  return report(tallies);
}

type Counts = Omit<Tally, 'name' | 'seconds'>;
/** Checks and set-up are no tests: they count only when they fail. */
const fine: Counts = { passed: 0, failed: 0, skipped: 0 };
const oneFailed: Counts = { passed: 0, failed: 1, skipped: 0 };

async function timed(name: string, work: () => Counts | Promise<Counts>): Promise<Tally> {
  process.stdout.write(`\n── ${name}\n`);
  const startedAt = performance.now();
  const counts = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  process.stdout.write(`── ${name}: ${formatDuration(seconds * 1000)}\n`);
  return { name, ...counts, seconds };
}

function check(): Counts {
  const { status } = spawnSync('npm', ['run', 'check'], {
    cwd: packageRoot(),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status === 0 ? fine : oneFailed;
}

/** Tests start and kill servers of their own: a server that runs already is no substitute for an executable. */
async function setUpFor(projects: readonly string[]): Promise<Counts> {
  const variables = { ...process.env, TEMPORAL_ADDRESS: undefined };
  const names = [...new Set(projects.flatMap((project) => projectParts[project] ?? []))];
  const selected = names.length === 0 ? [] : selectParts(names);
  const reporter = createReporter(process.stderr);
  const outcomes = await setUp(selected, {
    environment: readEnvironment(variables),
    variables,
    reporter,
    verify: false,
  });
  process.stdout.write(`${describeOutcomes(outcomes)}\n`);
  try {
    requireParts(outcomes);
    return fine;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return oneFailed;
  }
}

/** On Node 20 every process that loads the AWS SDK says that it will need Node 22 one day. */
const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

async function runProject(project: string, patterns: readonly string[]): Promise<Counts> {
  const directory = mkdtempSync(join(tmpdir(), 'nightstill-test-'));
  const outputFile = join(directory, 'results.json');
  const jest = join(packageRoot(), 'node_modules', 'jest', 'bin', 'jest.js');
  try {
    const { results, succeeded, hung } = await runForResults({
      words: [jest, '--selectProjects', project, '--json', `--outputFile=${outputFile}`, ...filter(patterns)],
      cwd: packageRoot(),
      env: { ...process.env, ...quiet, ...engineSettings },
      outputFile,
    });
    if (hung !== undefined) process.stderr.write(`${describeHang(succeeded, hung)}\n`);
    return countsOf(results, succeeded);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const describeHang = (succeeded: boolean, hung: string): string =>
  `expected Jest to end after its results, found that it hung and ended it; ${
    succeeded
      ? 'Node waited for its own threads (nodejs/node#54918), which fails no test'
      : 'a test left something open, which counts as a failure'
  }: ${hung}`;

/** What a process that computes is started with. */
const engineSettings = processSettings({ threads: availableParallelism() });

const filter = (patterns: readonly string[]): readonly string[] =>
  patterns.length === 0 ? [] : ['--passWithNoTests', '--', ...patterns];

/** A project that could not start, and a file of tests that could not be loaded, count as one failure each. */
function countsOf(results: unknown, succeeded: boolean): Counts {
  if (typeof results !== 'object' || results === null) return oneFailed;
  const count = (name: string): number => Number(Reflect.get(results, name) ?? 0);
  const failed = count('numFailedTests') + count('numRuntimeErrorTestSuites');
  return {
    passed: count('numPassedTests'),
    failed: failed === 0 && !succeeded ? 1 : failed,
    skipped: count('numPendingTests') + count('numTodoTests'),
  };
}

function report(tallies: readonly Tally[]): number {
  const rows = tallies.map(({ name, passed, failed, skipped, seconds }) => [
    name,
    ...[passed, failed, skipped].map(String),
    formatDuration(seconds * 1000),
  ]);
  process.stdout.write(`\n${drawTable(['', 'passed', 'failed', 'skipped', 'time'], rows)}\n\n`);
  const total = (name: keyof Counts): number => tallies.reduce((sum, tally) => sum + tally[name], 0);
  process.stdout.write(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped\n`);
  const ran = total('passed') + total('failed') + total('skipped');
  if (ran === 0) process.stderr.write('expected tests to run, found none whose path matches\n');
  return ran > 0 && total('failed') === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
