/**
 * The recipe of the student's first weights: a model of 0.6 million weights that knows the words of the shop in two languages and
 * the grammar of its SQL, and not the task. What it learns, `base-lessons.ts` makes.
 *
 *   npm run setup && npm run build
 *   node dist/examples/sql/train-base.js /tmp/student
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { processSettings } from '../../engine/index.js';
import { baseRecipe, type BaseJob } from './base-job.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lessons: { type: 'string', default: String(baseRecipe.lessons) },
    steps: { type: 'string', default: String(baseRecipe.steps) },
    seed: { type: 'string', default: String(baseRecipe.seed) },
    threads: { type: 'string', default: String(baseRecipe.threads) },
  },
});
const [directory] = positionals;
if (directory === undefined) throw new Error('expected a directory for the model: train-base.js <directory>');
const threads = Number(values.threads);
const job: BaseJob = {
  directory,
  lessons: Number(values.lessons),
  steps: Number(values.steps),
  seed: Number(values.seed),
  threads,
};
const child = fork(join(import.meta.dirname, 'base-process.js'), [JSON.stringify(job)], {
  env: { ...process.env, ...processSettings({ threads }) },
});
process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
