/**
 * `npm run demo`: everything, on this machine. Sets up what is missing, makes the shop and its questions, serves the teacher over
 * HTTP, runs `distill.yaml` on a Temporal server and workers, and says what came of it. Then forty steps are trained twice, once
 * with their process killed, and both digests are printed (`--no-kill` skips that).
 */
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { compiledFile } from '../../cli/dev/compiled-file.js';
import { StateDirectory } from '../../cli/dev/state-directory.js';
import { loadPlan } from '../../cli/plan/load-plan.js';
import { tensorflowNeedOf } from '../../cli/plan/tensorflow-need.js';
import { languageOf } from '../../cli/report.js';
import { findServers } from '../../cli/servers.js';
import type { Watched } from '../../cli/watch-run.js';
import { findModel } from '../../client/index.js';
import { defaultQueuePrefix } from '../../config/queues.js';
import { packageRoot } from '../../tools/package-root.js';
import { closing } from './closing.js';
import { runToEnd } from './run-to-end.js';
import { serveTeacher } from './serve-teacher.js';
import { stageTimes } from './stage-times.js';

const { values } = parseArgs({
  options: { 'no-kill': { type: 'boolean', default: false }, lang: { type: 'string' } },
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const variables = process.env;

process.chdir(packageRoot());
const plan = join('examples', 'sql', 'distill.yaml');
const data = join('.nightstill', 'sql');

/** A program of this package, whose output is shown. */
function run(title: string, program: string, words: readonly string[]): void {
  say(`\n  ${title}\n`);
  const { status } = spawnSync(process.execPath, [compiledFile(program), ...words], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: expected it to succeed, found status ${status}`);
}

async function distill(): Promise<Watched & { readonly runId: string; readonly store: string }> {
  const loaded = await loadPlan({ path: plan, variables });
  const { file, resolved } = loaded;
  const teacher = await serveTeacher(join(data, 'replies'));
  try {
    say(`  ${teacher.line}`);
    const servers = await findServers({
      alone: false,
      profile: undefined,
      dataConverter: undefined,
      queuePrefix: defaultQueuePrefix,
      workerFlags: [],
      variables,
      tensorflow: tensorflowNeedOf(loaded, { queuePrefix: defaultQueuePrefix, prove: false }),
      say: (line) => say(`  ${line}`),
    });
    try {
      return { ...(await runToEnd(servers.client, file)), store: resolved?.plan.store ?? '' };
    } finally {
      await servers.close();
    }
  } finally {
    await teacher.close();
  }
}

async function demo(): Promise<void> {
  const language = languageOf(values.lang, variables);
  run('Setting up what is missing', 'cli/main.js', ['setup']);
  const startedAtMs = performance.now();
  await mkdir(data, { recursive: true });
  run('Making the shop and the questions', 'examples/sql/make-data.js', [data, '--training', '400']);
  say('\n  From a teacher behind an endpoint to a student that is measured\n');
  const { view, result, runId, store } = await distill();
  if (result === undefined)
    throw new Error(`run ${runId} is ${view.status}: the same command goes on from where it was`);

  if (!values['no-kill']) {
    // It needs workers of its own, to know whom it kills.
    if (await new StateDirectory(process.cwd()).serving())
      say('\n  Nothing is killed, since `nightstill dev` serves from this directory: end it, and call the demo again.');
    else
      run('Forty steps of the student twice, once with the process that trains killed', 'cli/main.js', [
        'run',
        'examples/sql/micro.yaml',
        '--prove',
      ]);
  }

  run('What came of it', 'cli/main.js', ['report', runId, '--store', store, '--lang', language]);
  const promoted = (await findModel({ store, name: 'sql' })) !== undefined;
  say(`
${stageTimes(view, performance.now() - startedAtMs, language)}

${closing({ language, runId, plan, data, promoted })}
`);
}

try {
  await demo();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
